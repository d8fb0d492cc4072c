"""Rows of what free text finds. Derived by triggers (migrations/0007_search.sql); nothing else writes them."""

from piccolo.columns import ForeignKey, Text, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from booking.places.columns import TsVector
from booking.places.tables import Resource


class SearchWord(Table, tablename="search_word"):
    """What people call a kind, a feature or a surface, in Swedish and English."""

    code = Varchar(length=40, primary_key=True, default=None)
    words = Text(default=None)


class SearchText(Table, tablename="search_text"):
    """Derived: everything a resource can be found by, as stems and as folded text."""

    resource = ForeignKey(Resource, primary_key=True, null=False, on_delete=OnDelete.cascade)
    words = Text(default=None, help_text="In small letters, as written.")
    document = TsVector()
    plain = Text(default=None, help_text="Without marks, words apart by one space.")
