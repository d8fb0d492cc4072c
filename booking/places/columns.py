"""Types of PostgreSQL's that Piccolo lacks; only migrations and derived tables meet them."""

from typing import Any

from piccolo.columns import Column


class _Native(Column):
    """NULL unless something else is said; Piccolo passes its own options through."""

    value_type = str

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("default", None)
        super().__init__(**kwargs)


class TstzMultirange(_Native):
    """Several stretches of time in one value."""

    @property
    def column_type(self) -> str:
        """The type's name."""
        return "TSTZMULTIRANGE"


class TsVector(_Native):
    """Words as free text search compares them."""

    @property
    def column_type(self) -> str:
        """The type's name."""
        return "TSVECTOR"
