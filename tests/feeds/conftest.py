"""The application and its people, as tests/api has them."""

from tests.api.conftest import app, later, person

__all__ = ["app", "later", "person"]
