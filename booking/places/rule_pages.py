"""Rules as pages show them: in force, inherited, and as each level wrote them."""

from datetime import date
from uuid import UUID

import msgspec

from booking.people import Actor
from booking.places.levels import LevelRef, Scope, below, level
from booking.places.rulebook import changes_of, rules_on
from booking.places.rules import RuleChange, Rules, in_force


class RulesView(msgspec.Struct, frozen=True):
    """What is in force on a day. Minutes, days, counts; null where there is no such limit."""

    gap_min: int
    step_min: int
    min_min: int
    max_min: int
    notice_min: int
    horizon_days: int
    opens_on: date | None
    own_first_days: int
    kinds: list[str] | None
    min_age: int
    quota_week: int | None
    quota_open: int | None
    needs_approval: bool
    pending_holds: bool
    answer_days: int
    terms: str | None
    purposes: list[str] | None
    preempt_days: int | None
    needs_driver: bool


class RuleSetView(msgspec.Struct, frozen=True):
    """Rules as one level wrote them from a day on; null inherits. `preempt_days` -1: never."""

    valid_from: date
    gap_min: int | None
    step_min: int | None
    min_min: int | None
    max_min: int | None
    notice_min: int | None
    horizon_days: int | None
    opens_on: date | None
    own_first_days: int | None
    kinds: list[str] | None
    min_age: int | None
    quota_week: int | None
    quota_open: int | None
    approval: str | None
    pending_holds: bool | None
    answer_days: int | None
    terms: str | None
    purposes: list[str] | None
    preempt_days: int | None
    needs_driver: bool | None


class RulesPage(msgspec.Struct, frozen=True):
    """The rules at a level: its own sets, what they amount to today, and what would hold without them."""

    scope: Scope
    id: str
    name: str
    changes: list[RuleSetView]
    in_force: RulesView
    inherited: RulesView
    path: list[LevelRef]
    children: list[LevelRef]


async def rules_page(scope: Scope, place_id: str, *, by: Actor, today: date) -> RulesPage:
    """Return the rules at a level. Raises NotFound, also for another municipality's."""
    here = await level(scope, place_id, by=by)
    changes = await changes_of(here.municipality)
    above = [changes[one.id] for one in here.path]
    own = changes[here.id]
    return RulesPage(
        here.scope,
        here.id,
        here.name,
        [_as_written(one) for one in own],
        shown_rules(in_force([*above, own], today)),
        shown_rules(in_force([*above, []], today)),
        here.path,
        await below(here, by=by),
    )


async def rules_shown_on(resource: UUID, day: date) -> RulesView:
    """Return the rules in force for the use of a resource on a local day (public)."""
    return shown_rules((await rules_on([resource], day))[resource])


def shown_rules(rules: Rules) -> RulesView:
    """Return the rules as pages read them."""
    return msgspec.convert(msgspec.structs.asdict(rules), RulesView, builtin_types=(date,))


def _as_written(change: RuleChange) -> RuleSetView:
    facts = {name: getattr(change, name) for name in RuleSetView.__struct_fields__}
    return msgspec.convert(facts, RuleSetView, builtin_types=(date,))
