"""Pure: what may be booked, inherited from municipality to facility to whole to part, each with a first day."""

from collections.abc import Sequence
from datetime import date

import msgspec

FOREVER = date.max  # PostgreSQL's infinity
BEGINNING = date(2000, 1, 1)
WHOLES = 3  # the municipality, the facility, the whole: who may say how far apart bookings are


class Rules(msgspec.Struct, frozen=True):
    """What is in force for the use of a resource on a day. Minutes, days, counts."""

    gap_min: int = 0
    step_min: int = 30
    min_min: int = 60
    max_min: int = 720
    notice_min: int = 0
    horizon_days: int = 365
    opens_on: date | None = None
    own_first_days: int = 0
    kinds: tuple[str, ...] | None = None
    min_age: int = 0
    quota_week: int | None = None
    quota_open: int | None = None
    needs_approval: bool = False
    pending_holds: bool = True
    answer_days: int = 2
    terms: str | None = None
    purposes: tuple[str, ...] | None = None
    preempt_days: int | None = None
    needs_driver: bool = False


class RuleChange(msgspec.Struct, frozen=True, kw_only=True):
    """Rules as one owner wrote them, from a day on; None inherits from above."""

    valid_from: date
    gap_min: int | None = None
    step_min: int | None = None
    min_min: int | None = None
    max_min: int | None = None
    notice_min: int | None = None
    horizon_days: int | None = None
    opens_on: date | None = None
    own_first_days: int | None = None
    kinds: tuple[str, ...] | None = None
    min_age: int | None = None
    quota_week: int | None = None
    quota_open: int | None = None
    approval: str | None = None
    pending_holds: bool | None = None
    answer_days: int | None = None
    terms: str | None = None
    purposes: tuple[str, ...] | None = None
    preempt_days: int | None = None
    needs_driver: bool | None = None


RULE_FIELDS = RuleChange.__struct_fields__[1:]
Period = tuple[date, date, Rules]  # from, until (exclusive)


def inherit(chain: Sequence[Sequence[RuleChange]], *, wholes: int = WHOLES) -> list[Period]:
    """Return the rules in force over all of time, from the owners' changes, the most general owner first.

    Of each owner the change with the latest first day counts. The gap comes from the first `wholes` owners only
    (municipality, facility, the whole): parts that share a floor must share the distance between bookings.
    """
    days = sorted({BEGINNING} | {max(one.valid_from, BEGINNING) for owner in chain for one in owner})
    periods: list[Period] = []
    for day, until in zip(days, [*days[1:], FOREVER], strict=True):
        rules = in_force(chain, day, wholes=wholes)
        if periods and periods[-1][2] == rules:
            periods[-1] = (periods[-1][0], until, rules)
        else:
            periods.append((day, until, rules))
    return periods


def in_force(chain: Sequence[Sequence[RuleChange]], day: date, *, wholes: int = WHOLES) -> Rules:
    """Return what the owners' changes amount to on a day."""
    known: dict[str, object] = {}
    for depth, owner in enumerate(chain):
        current = max((one for one in owner if one.valid_from <= day), key=_first_day, default=None)
        if current is None:
            continue
        for name in RULE_FIELDS:
            value = getattr(current, name)
            if value is not None and (name != "gap_min" or depth < wholes):
                known[name] = value
    approval = known.pop("approval", None)
    if known.get("preempt_days") == -1:
        known["preempt_days"] = None
    return Rules(**known, needs_approval=approval == "required")  # type: ignore[arg-type]


def _first_day(change: RuleChange) -> date:
    return change.valid_from
