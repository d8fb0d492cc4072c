"""Rows of season rounds: what is shared out, who applied with which wishes, who gets what."""

from piccolo.columns import (
    UUID,
    BigSerial,
    Boolean,
    Date,
    ForeignKey,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.base import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from booking.db import Exclude
from booking.people.tables import Municipality, Party
from booking.places.tables import Leaf, Resource
from booking.reservations.plan_tables import Series


class SeasonRound(Table, tablename="season_round"):
    """A season that a municipality shares out, once: which days, when one applies, by which rules."""

    id = UUID(primary_key=True, default=None)
    municipality = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)
    name = Varchar(length=120, default=None)
    starts_on = Date(default=None)
    ends_on = Date(default=None)
    applies_from = Timestamptz(default=None)
    applies_to = Timestamptz(default=None)
    drop_in_from = Date(null=True, default=None, help_text="When what is left can be booked by anybody.")
    rules = Text(default=None, help_text="JSON: priority classes, hours, lengths, days left out.")
    state = Varchar(length=6, default="draft")
    version = Integer(default=1, help_text="Counts changes of what an allocation rests on.")
    proposal = Text(null=True, default=None, help_text="JSON: when, how long, which goals were not proven.")
    created_by = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    decided_at = Timestamptz(null=True, default=None)

    season_round_state = Check("state IN ('draft', 'open', 'closed', 'final')")
    season_round_days = Check("ends_on >= starts_on AND ends_on <= starts_on + 400")
    season_round_applies = Check("applies_to > applies_from")
    season_round_final = Check("(state = 'final') = (decided_at IS NOT NULL)")


class SeasonResource(Table, tablename="season_resource"):
    """The round shares the resource out."""

    id = BigSerial(primary_key=True)
    round = ForeignKey(SeasonRound, null=False, on_delete=OnDelete.cascade, index=True)
    resource = ForeignKey(Resource, null=False, on_delete=OnDelete.restrict, index=True)

    season_resource_once = Unique([round, resource])


class SeasonApplication(Table, tablename="season_application"):
    """What a party asks for in a round."""

    id = UUID(primary_key=True, default=None)
    round = ForeignKey(SeasonRound, null=False, on_delete=OnDelete.restrict, index=True)
    party = ForeignKey(Party, null=False, on_delete=OnDelete.restrict, index=True)
    account = UUID(null=True, default=None, help_text="Who wrote it last.")
    state = Varchar(length=9, default="draft")
    note = Text(default="")
    changed_at = Timestamptz(default=None)
    sent_at = Timestamptz(null=True, default=None)

    season_application_once = Unique([round, party])
    season_application_state = Check("state IN ('draft', 'sent', 'withdrawn')")
    season_application_sent = Check("state <> 'sent' OR sent_at IS NOT NULL")


class SeasonWish(Table, tablename="season_wish"):
    """So many times a week of so many minutes for a team or an activity."""

    id = UUID(primary_key=True, default=None)
    application = ForeignKey(SeasonApplication, null=False, on_delete=OnDelete.cascade, index=True)
    position = SmallInt(default=0)
    title = Varchar(length=120, default=None)
    activity = Varchar(length=16, default=None)
    age_from = SmallInt(default=None)
    age_to = SmallInt(default=None)
    people = SmallInt(default=None)
    whole_season = Boolean(default=True)
    times = SmallInt(default=None, help_text="A week, at most one a day.")
    minutes = SmallInt(default=None)
    windows = Text(default=None, help_text="JSON: weekday (0 = Monday), opens, closes, primary.")
    outcome = Text(null=True, default=None, help_text="JSON: how many times are missing, and why.")

    season_wish_numbers = Check(
        "times BETWEEN 1 AND 7 AND minutes BETWEEN 15 AND 720 AND minutes % 15 = 0 AND people BETWEEN 1 AND 2000"
    )
    season_wish_ages = Check("0 <= age_from AND age_from <= age_to AND age_to <= 120")
    season_wish_activity = Check(
        "activity IN ('indoor_sport', 'outdoor_sport', 'summer_sport', 'exercise', 'culture', 'school', 'other')"
    )


class SeasonWishResource(Table, tablename="season_wish_resource"):
    """A resource that would do for the wish; the lowest position is liked best."""

    id = BigSerial(primary_key=True)
    wish = ForeignKey(SeasonWish, null=False, on_delete=OnDelete.cascade, index=True)
    resource = ForeignKey(Resource, null=False, on_delete=OnDelete.restrict, index=True)
    position = SmallInt(default=0)

    season_wish_resource_once = Unique([wish, resource])


class SeasonAllocation(Table, tablename="season_allocation"):
    """A weekly time that a wish gets, in minutes of the local day; final once it is a series."""

    id = UUID(primary_key=True, default=None)
    round = ForeignKey(SeasonRound, null=False, on_delete=OnDelete.restrict, index=True)
    wish = ForeignKey(SeasonWish, null=False, on_delete=OnDelete.restrict)
    resource = ForeignKey(Resource, null=False, on_delete=OnDelete.restrict, index=True)
    weekday = SmallInt(default=None)
    opens = SmallInt(default=None)
    closes = SmallInt(default=None)
    state = Varchar(length=8, default="proposed")
    by_hand = Boolean(default=False)
    reason = Text(default="", help_text="Why staff departed from the proposal.")
    decided_by = UUID(null=True, default=None)
    changed_at = Timestamptz(default=None)
    series = ForeignKey(Series, null=True, on_delete=OnDelete.restrict, index=True)
    skipped = Text(default="[]", help_text="JSON: dates of the season that are not booked, and why.")
    problem = Varchar(length=40, null=True, default=None, help_text="Why it couldn't be booked.")

    season_allocation_a_day = Unique(["wish", "weekday"])
    season_allocation_state = Check("state IN ('proposed', 'locked', 'final')")
    season_allocation_final = Check("(state = 'final') = (series IS NOT NULL)")
    season_allocation_time = Check(
        "weekday BETWEEN 0 AND 6 AND 0 <= opens AND opens < closes AND closes <= 1440 AND opens % 15 = 0"
    )


class SeasonCell(Table, tablename="season_cell"):
    """An allocation keeps the leaf every week: no two of a round meet, the gap included."""

    id = BigSerial(primary_key=True)
    allocation = ForeignKey(SeasonAllocation, null=False, on_delete=OnDelete.cascade, index=True)
    round = ForeignKey(SeasonRound, null=False, on_delete=OnDelete.restrict)
    leaf = ForeignKey(Leaf, null=False, on_delete=OnDelete.restrict, index=True)
    weekday = SmallInt(default=None)
    opens = SmallInt(default=None)
    until = SmallInt(default=None, help_text="The end and the resource's gap.")

    season_cell_order = Check("until > opens")
    season_cell_one_at_a_time = Exclude(
        "round WITH =, leaf WITH =, weekday WITH =, int4range(opens::int, until::int) WITH &&"
    )
