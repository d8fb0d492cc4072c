"""The API's browsers beside the domain's fixtures: the reviewer attacks both."""

from tests.api.conftest import app, later, person

__all__ = ["app", "later", "person"]
