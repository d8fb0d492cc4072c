"""Free starts in SQL: any number of resources and days in one statement, by rules, open days and what is taken.

Works on ranges of starts, not on starts: where a booking of the wished length may begin is a range, and how many
points of the raster lie in it is arithmetic. Only what is shown becomes single starts.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

from booking import db
from booking.clock import SWEDEN, local_date
from booking.reservations.calendar import day_span, raster
from booking.reservations.offers import Customer

Parameters = dict[str, object]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with $1, $2, … and the names of what they stand for."""

    sql: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DayWish:
    """A local day in which a use may start, from an instant on, and by when it must have ended (None: any time)."""

    day: date
    from_at: datetime
    until_at: datetime
    to_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FreeWish:
    """What free starts are asked for: days, length, purpose, customer."""

    days: tuple[DayWish, ...]
    minutes: int
    purpose: str | None
    customer: Customer


def whole_day(day: date) -> DayWish:
    """Return the wish for any start of a local day."""
    span = day_span(day)
    return DayWish(day, span.start, span.end)


def parameters(wish: FreeWish, now: datetime) -> Parameters:
    """Return the named parameters of FREE."""
    pieces = [(one.day, *piece) for one in wish.days for piece in clock_pieces(one.day)]
    longest = max((_days_touched(one, wish.minutes) for one in wish.days), default=0)
    return {
        "days": [one.day for one in wish.days],
        "from_at": [one.from_at for one in wish.days],
        "until_at": [one.until_at for one in wish.days],
        "to_at": [one.to_at for one in wish.days],
        "piece_day": [one[0] for one in pieces],
        "wall_from": [one[1] for one in pieces],
        "wall_to": [one[2] for one in pieces],
        "base": [one[3] for one in pieces],
        "minutes": wish.minutes,
        "more_days": longest,
        "purpose": wish.purpose,
        "party": wish.customer.party,
        "home": wish.customer.home,
        "now": now,
        "today": local_date(now),
    }


def named(sql: str) -> Statement:
    """Return the statement with :names as $1, $2, … and the names in that order.

    Runs of white space become one: asyncpg keeps no statement prepared that is longer than 15 KiB.
    """
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        name = found[1]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    text = re.sub(r"(?<![:\w]):([a-z_]+)\b", number, re.sub(r"\s+", " ", sql))
    return Statement(text, tuple(names))


async def ask(kind: type[T], statement: Statement, values: Parameters) -> list[T]:
    """Return the rows of a statement for these arguments."""
    return await db.rows(kind, statement.sql, *(values[name] for name in statement.names))


@lru_cache(1024)
def clock_pieces(day: date) -> tuple[tuple[int, int, datetime], ...]:
    """Return the stretches of wall-clock minutes of a day [from, to) with the instant that minute 0 would be.

    One on an ordinary day, two in the nights when the clock is moved: a start is base + minute in its stretch.
    """
    span = day_span(day)
    if span.length == timedelta(days=1):
        return ((0, 1440, span.start),)
    pieces: list[tuple[int, int, datetime]] = []
    for start in raster(day, 1):
        wall = start.astimezone(SWEDEN)
        minute = wall.hour * 60 + wall.minute
        base = start - timedelta(minutes=minute)
        first = pieces[-1][0] if pieces and pieces[-1][2] == base else minute
        pieces[-1 if first != minute or (pieces and pieces[-1][2] == base) else len(pieces) :] = [
            (first, minute + 1, base)
        ]
    return tuple(pieces)


def _days_touched(wish: DayWish, minutes: int) -> int:
    last = (wish.until_at + timedelta(minutes=minutes)).astimezone(SWEDEN).date()
    return (last - wish.day).days


def _points(ranges: str, row: str) -> str:
    """Return SQL for how many points of the row's raster lie in a multirange of starts."""
    return f"""(SELECT coalesce(sum(greatest(0, 1
        + floor(least(date_part('epoch', upper(x) - p.base) / 60, p.wall_to - 1) / {row}.step)
        - ceil(greatest(date_part('epoch', lower(x) - p.base) / 60, p.wall_from) / {row}.step))), 0)
      FROM unnest({ranges}) x CROSS JOIN piece p WHERE p.day = {row}.day)"""


# Needs a CTE `found` (id, place, calendar, picks_unit, municipality): one row per resource, ranked by `place`.
# Every step carries on what the next ones need: steps joined with each other would be planned for one row each, and
# run for thousands. For the same reason what decides is one boolean (`fits`, `fit`): the planner takes it for half of
# the rows, but would take `x IS NULL AND y IS NULL` for none of them. Leaves
#   point (resource, place, day, base, step, low, high): the free starts base + k * step minutes, low <= k <= high;
#   unit_start: where each unit of a pool may start;   lawful: what decided, for the reasons.
# What is taken and reaches into the opening began within a day before it, or is one of the few that last longer: those
# have an index of their own (occupancy_long).
FREE = """
day AS MATERIALIZED (
  SELECT * FROM unnest(:days::date[], :from_at::timestamptz[], :until_at::timestamptz[], :to_at::timestamptz[])
    AS d(day, from_at, until_at, to_at)),
piece AS MATERIALIZED (
  SELECT * FROM unnest(:piece_day::date[], :wall_from::int[], :wall_to::int[], :base::timestamptz[])
    AS p(day, wall_from, wall_to, base)),
asker AS MATERIALIZED (
  SELECT p.kind, p.born, CASE WHEN :party::uuid IS NULL THEN :home::text ELSE p.home_municipality END AS home,
    make_interval(mins => :minutes::int) AS len, :now::timestamptz AS now
  FROM (SELECT) one LEFT JOIN party p ON p.id = :party),
licence AS MATERIALIZED (
  SELECT d.municipality, max(d.valid_to) AS valid_to FROM driver d JOIN account a ON a.id = d.account
    LEFT JOIN membership m ON m.account = a.id AND m.party = :party
  WHERE a.party = :party OR m.id IS NOT NULL GROUP BY d.municipality),
law AS (
  SELECT f.id AS resource, f.place, f.calendar, f.picks_unit, d.day, d.from_at, a.len, a.now,
    least(d.until_at - interval '1 microsecond', d.to_at - a.len) AS last_at,
    coalesce(r.step_min, 30) AS step, make_interval(mins => coalesce(r.gap_min, 0)) AS gap,
    a.now + make_interval(mins => coalesce(r.notice_min, 0)) AS noticed, r.opens_on,
    CASE WHEN a.home = f.municipality THEN 0 ELSE coalesce(r.own_first_days, 0) END AS waits,
    coalesce(r.horizon_days, 365) AS horizon_days,
    CASE WHEN :minutes < coalesce(r.min_min, 60) THEN 'too_short'
      WHEN :minutes > coalesce(r.max_min, 720) THEN 'too_long' WHEN :minutes % 5 <> 0 THEN 'off_raster' END AS misfit,
    CASE WHEN NOT a.kind = ANY(r.kinds) THEN 'not_for_you'
      WHEN r.min_age > 0 AND a.kind = 'person' AND a.born IS NULL THEN 'age_unknown'
      WHEN r.min_age > 0 AND a.kind = 'person' AND date_part('year', d.day) - date_part('year', a.born)
        - (to_char(d.day, 'MMDD') < to_char(a.born, 'MMDD'))::int < r.min_age THEN 'too_young'
      WHEN NOT :purpose::text = ANY(r.purposes) THEN 'wrong_purpose'
      WHEN r.needs_driver AND a.kind IS NOT NULL AND coalesce(l.valid_to < d.day, true) THEN 'driver_unknown'
    END AS unfit
  FROM found f CROSS JOIN day d CROSS JOIN asker a LEFT JOIN licence l ON l.municipality = f.municipality
    LEFT JOIN effective_rule r ON r.resource = f.id AND r.from_day <= d.day AND r.until_day > d.day),
lawful AS MATERIALIZED (
  SELECT l.*, misfit IS NULL AND unfit IS NULL AS fit, o.around, greatest(from_at, now + interval '1 microsecond', noticed) AS low_at,
    CASE WHEN opens_on IS NULL THEN least(last_at, now + make_interval(hours => 24 * greatest(horizon_days - waits, 0)))
      WHEN opens_on + waits <= :today::date THEN last_at ELSE '-infinity' END AS high_at
  FROM law l LEFT JOIN LATERAL (SELECT range_agg(o.spans) AS around FROM open_day o
      WHERE o.calendar = l.calendar AND o.day BETWEEN l.day AND l.day + :more_days::int) o ON true),
asked AS MATERIALIZED (
  SELECT resource, resource AS unit, place, picks_unit, day, step, gap, len, CASE WHEN low_at <= high_at
      THEN around * tstzmultirange(tstzrange(low_at, high_at + len)) END AS open
  FROM lawful WHERE fit),
unit AS (
  SELECT *, lower(open) AS opens, upper(open) + gap AS closes FROM asked WHERE NOT picks_unit AND NOT isempty(open)
  UNION ALL
  SELECT a.resource, u.id, a.place, true, a.day, a.step, a.gap, a.len, a.open, lower(a.open), upper(a.open) + a.gap
  FROM asked a JOIN resource u ON u.parent = a.resource AND u.is_bookable WHERE a.picks_unit AND NOT isempty(open)),
unit_start AS MATERIALIZED (
  SELECT resource, place, unit, day, picks_unit, step, tstzrange(lower(w), upper(w) - len, '[]') AS starts FROM (
    SELECT u.*, unnest(u.open - coalesce(taken.spans, '{}')) AS w
    FROM unit u CROSS JOIN LATERAL (
      SELECT range_agg(tstzrange(o.starts_at - u.gap, o.ends_at)) AS spans
      FROM resource_leaf l CROSS JOIN LATERAL (
        SELECT starts_at, ends_at FROM occupancy
        WHERE leaf = l.leaf AND starts_at > u.opens - interval '1 day' AND starts_at < u.closes
          AND ends_at > u.opens AND (hold_until IS NULL OR hold_until > :now)
        UNION ALL
        SELECT starts_at, ends_at FROM occupancy
        WHERE leaf = l.leaf AND starts_at <= u.opens - interval '1 day' AND ends_at > u.opens
          AND ends_at - starts_at > interval '1 day' AND (hold_until IS NULL OR hold_until > :now)) o
      WHERE l.resource = u.unit) taken) every
  WHERE upper(w) - lower(w) >= len),
start AS (
  SELECT resource, place, day, step, starts FROM unit_start WHERE NOT picks_unit
  UNION ALL
  SELECT resource, place, day, step, unnest(range_agg(starts)) FROM unit_start WHERE picks_unit
  GROUP BY resource, place, day, step),
point AS MATERIALIZED (
  SELECT resource, place, day, base, step, low, high FROM (
    SELECT s.resource, s.place, s.day, p.base, s.step,
      ceil(greatest(date_part('epoch', lower(s.starts) - p.base) / 60, p.wall_from) / s.step)::int AS low,
      floor(least(date_part('epoch', upper(s.starts) - p.base) / 60, p.wall_to - 1) / s.step)::int AS high
    FROM start s JOIN piece p USING (day)) k
  WHERE low <= high)
"""

# Why a row `l` of `lawful` has no free start, for those that have none: the same words, in the same order, as
# calendar.refusal: closed, then time, then what is wrong with the wish, then with the one who wishes, then taken.
WHY = f"""
CROSS JOIN LATERAL (SELECT CASE WHEN l.from_at <= l.last_at THEN tstzmultirange(tstzrange(l.from_at, l.last_at, '[]'))
  * (SELECT range_agg(tstzrange(lower(w), upper(w) - CASE WHEN l.misfit IS NULL THEN l.len ELSE interval '1 second' END, '[]'))
     FROM unnest(l.around) w WHERE l.misfit IS NOT NULL OR upper(w) - lower(w) >= l.len) END AS starts) open_start
CROSS JOIN LATERAL (SELECT {_points("open_start.starts", "l")} AS open,
  {_points("open_start.starts * tstzmultirange(tstzrange(NULL, l.now, '[]'))", "l")} AS past,
  {_points("open_start.starts * tstzmultirange(tstzrange(NULL, l.noticed))", "l")} AS late,
  CASE WHEN l.low_at <= l.high_at THEN
    {_points("open_start.starts * tstzmultirange(tstzrange(l.low_at, l.high_at, '[]'))", "l")} ELSE 0 END AS timely) n
CROSS JOIN LATERAL (SELECT CASE WHEN n.open = 0 THEN 'closed' WHEN n.timely > 0 THEN coalesce(l.misfit, l.unfit, 'fully_booked')
  WHEN n.past = n.open THEN 'past' WHEN n.late = n.open THEN 'too_late' ELSE 'not_open_yet' END AS reason) why
"""
