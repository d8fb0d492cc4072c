"""Rows and constraints of calendar feeds."""

from piccolo.columns import UUID, ForeignKey, Integer, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.constraints import Check
from piccolo.table import Table

from booking.people.tables import Account, Party
from booking.places.tables import Resource


class Feed(Table, tablename="feed"):
    """A secret address at which somebody's calendar program reads. The secret is derived, not stored."""

    id = UUID(primary_key=True, default=None)
    account = ForeignKey(Account, null=False, on_delete=OnDelete.restrict, index=True)
    kind = Varchar(length=8, default=None)
    party = ForeignKey(Party, null=True, on_delete=OnDelete.restrict, index=True)
    resource = ForeignKey(Resource, null=True, on_delete=OnDelete.restrict, index=True)
    generation = Integer(default=1, help_text="Raised to make the address another.")
    created_at = Timestamptz(default=None)
    revoked_at = Timestamptz(null=True, default=None)
    read_at = Timestamptz(null=True, default=None, help_text="Last read, to within an hour.")

    feed_subject = Check(
        "kind IN ('account', 'party', 'resource') AND (kind = 'party') = (party IS NOT NULL)"
        " AND (kind = 'resource') = (resource IS NOT NULL)"
    )
