"""Rows that reservations point to: series, staff blocks, teams."""

from piccolo.columns import (
    UUID,
    Boolean,
    Date,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.base import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from booking.people.tables import Account, Municipality, Party
from booking.places.tables import Resource


class Series(Table, tablename="series"):
    """A recurring booking: the rule it was made by (RFC 5545, local time) and what its occurrences share."""

    id = UUID(primary_key=True, default=None)
    municipality = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)
    resource = ForeignKey(Resource, null=False, on_delete=OnDelete.restrict, index=True)
    party = ForeignKey(Party, null=False, on_delete=OnDelete.restrict, index=True)
    account = UUID(null=True, default=None)
    rrule = Text(default=None, help_text="RRULE value, expanded in Europe/Stockholm.")
    starts_local = Varchar(length=16, default=None, help_text="Wall clock of the first: 2026-09-01T18:00")
    minutes = Integer(default=None, help_text="Wall-clock length of each occurrence.")
    exdates = Text(default="[]", help_text="JSON: local dates left out.")
    rdates = Text(default="[]", help_text="JSON: local starts added.")
    skip_school_breaks = Boolean(default=False)
    purpose = Varchar(length=12, default=None)
    title = Varchar(length=120, null=True, default=None)
    follows = UUID(null=True, default=None, help_text="The series it was split from.")
    version = Integer(default=1)
    created_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)


class StaffBlock(Table, tablename="staff_block"):
    """Staff have taken time over one or many resources, once or recurring; its rows are reservations of kind block."""

    id = UUID(primary_key=True, default=None)
    municipality = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)
    category = Varchar(length=12, default=None)
    title = Varchar(length=120, default=None)
    reason = Text(default="", help_text="Shown to those whose bookings it affects.")
    rrule = Text(null=True, default=None)
    created_by = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    lifted_at = Timestamptz(null=True, default=None)

    staff_block_category = Check("category IN ('closure', 'maintenance', 'out_of_order', 'event', 'own_use')")


class Team(Table, tablename="team"):
    """A group inside an association that uses part of its time."""

    id = UUID(primary_key=True, default=None)
    party = ForeignKey(Party, null=False, on_delete=OnDelete.restrict, index=True)
    name = Varchar(length=80, default=None)
    retired_on = Date(null=True, default=None)

    team_once = Unique([party, name])


class TeamMember(Table, tablename="team_member"):
    """The account sees and uses the team's time."""

    id = UUID(primary_key=True, default=None)
    team = ForeignKey(Team, null=False, on_delete=OnDelete.cascade, index=True)
    account = ForeignKey(Account, null=False, on_delete=OnDelete.restrict, index=True)
    leads = Boolean(default=False)

    team_member_once = Unique([team, account])
