"""Which resources a search is about: filters, free text that forgives, facets, and what each filter took away."""

import re
from dataclasses import dataclass, fields

from booking import db
from booking.reservations.free_starts import Parameters, ask, named

MOST_WORDS = 8
LIKE_ENOUGH = 0.4  # trigram similarity from which a word counts as a misspelling of another
MOST_LETTERS_OFF = 3  # and how much longer or shorter it may be: "finnsinte" is not a slip for "finns"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a resource must be. Empty or None: anything."""

    municipalities: tuple[str, ...]  # those searched, neighbours included
    words: tuple[str, ...] = ()
    kind: str | None = None
    min_area_m2: int | None = None
    min_capacity: int | None = None
    features: tuple[str, ...] = ()
    surface: str | None = None
    whole: bool | None = None
    near: tuple[float, float] | None = None  # lat, lon
    own: tuple[str, ...] = ()  # the asker's own municipalities, listed first
    by_name: bool = False


class Facet(db.Record):
    """How many resources there are per value."""

    value: str
    count: int


class Facets(db.Record):
    """What could be chosen instead: counts per value with every other filter on, most frequent first."""

    kind: list[Facet]
    municipality: list[Facet]
    features: list[Facet]
    surface: list[Facet]


class Because(db.Record):
    """How many resources one filter or rule keeps out."""

    code: str
    count: int


# Filters that are looked at one by one, so that an empty answer can say which of them emptied it.
TESTS = {
    "text": "(cardinality(:words::text[]) = 0 OR EXISTS (SELECT FROM search_text s WHERE s.resource = r.id AND NOT EXISTS"
    " (SELECT FROM word w WHERE NOT (s.document @@ w.query OR position(w.plain IN ' ' || s.plain) > 0))))",
    "kind": "(:kind::text IS NULL OR r.kind = :kind)",
    "min_area": "(:min_area::int IS NULL OR r.area_m2 >= :min_area)",
    "min_capacity": "(:min_capacity::int IS NULL OR r.capacity >= :min_capacity)",
    "features": "r.features @> :features::varchar[]",
    "surface": "(:surface::text IS NULL OR r.surface = :surface)",
    "whole": "(:whole::bool IS NULL OR (r.parent IS NULL) = :whole)",
}
_FAR = """CASE WHEN :lat::float8 IS NOT NULL THEN 12742000 * asin(sqrt(least(1, sin(radians(f.lat - :lat) / 2) ^ 2
  + cos(radians(:lat)) * cos(radians(f.lat)) * sin(radians(f.lon - :lon::float8) / 2) ^ 2)))
  WHEN cardinality(:own::text[]) > 0 AND NOT f.municipality = ANY(:own) THEN 1 ELSE 0 END"""

# `reach`: what could be meant, with the outcome of every test; units of a pool are booked through the pool, and
# equipment only when it is asked for.
REACH = f"""
word AS MATERIALIZED (
  SELECT query, CASE WHEN length(plain) < 4 THEN ' ' ELSE '' END || plain AS plain
  FROM unnest(:words::text[]) w(word), LATERAL (SELECT to_tsquery('pg_catalog.swedish', word || ':*'), plain_text(word)) q(query, plain)
  WHERE numnode(query) > 0 AND plain <> ' '),
reach AS MATERIALIZED (
  SELECT r.id, r.calendar, r.picks_unit, r.kind, r.surface, r.features, f.municipality, {_FAR} AS far,
    f.name AS facility, r.parent, r.name, {", ".join(f"{test} AS fits_{name}" for name, test in TESTS.items())}
  FROM resource r JOIN facility f ON f.id = r.facility
  WHERE r.is_bookable AND f.municipality = ANY(:municipalities::text[])
    AND (r.kind <> 'equipment' OR :kind = 'equipment')
    AND NOT EXISTS (SELECT FROM resource p WHERE p.id = r.parent AND p.picks_unit)),
"""
_ALL = " AND ".join(f"fits_{name}" for name in TESTS)
FOUND = f"""
found AS MATERIALIZED (
  SELECT id, calendar, picks_unit, municipality, (row_number() OVER (
    ORDER BY CASE WHEN :by_name::bool THEN 0 ELSE far END, facility, parent IS NOT NULL, name, id))::int AS place
  FROM (SELECT id, calendar, picks_unit, municipality, far, facility, parent, name, {_ALL} AS fits
    FROM reach OFFSET 0) r WHERE fits),
"""


def _but(name: str) -> str:
    return " AND ".join(f"fits_{one}" for one in TESTS if one != name)


def _facet(value: str, name: str, source: str = "reach") -> str:
    where = _but(name) if name in TESTS else _ALL
    return f"""(SELECT coalesce(json_agg(json_build_object('value', v, 'count', n) ORDER BY n DESC, v), '[]')
      FROM (SELECT {value} AS v, count(*) AS n FROM {source} WHERE {where} GROUP BY 1) g WHERE v IS NOT NULL)"""


FACETS = f"""json_build_object('kind', {_facet("kind", "kind")}, 'municipality', {_facet("municipality", "municipality")},
  'features', {_facet("feature", "features", "reach CROSS JOIN unnest(features) feature")},
  'surface', {_facet("surface", "surface")})"""
WITHOUT = "json_build_object({})".format(
    ", ".join(
        f"'{name}', (SELECT count(*) FROM reach WHERE {_but(name)} AND NOT fits_{name})" for name in TESTS
    )
)


def parameters(filters: Filters) -> Parameters:
    """Return the named parameters of REACH and FOUND."""
    values: Parameters = {one.name: getattr(filters, one.name) for one in fields(filters)}
    values["min_area"] = values.pop("min_area_m2")
    values["lat"], values["lon"] = filters.near or (None, None)
    return values


def words_of(text: str | None) -> tuple[str, ...]:
    """Return the words of a free text that can be looked for."""
    found = re.findall(r"[^\W_]+", (text or "").lower())
    return tuple(dict.fromkeys(found))[:MOST_WORDS]


# For each word that finds nothing anywhere: the word of the vocabulary that is most like it.
_MEANT = named(rf"""
WITH {REACH}
vocabulary AS MATERIALIZED (
  SELECT v AS word, plain_text(v) AS plain, count(*) AS n
  FROM search_text t JOIN reach r ON r.id = t.resource, regexp_split_to_table(t.words, '[\s.,;:()/&-]+') v
  WHERE length(v) > 2 GROUP BY v),
unknown AS (
  SELECT w.word, plain_text(w.word) AS plain FROM unnest(:words) w(word)
  WHERE numnode(to_tsquery('pg_catalog.swedish', w.word || ':*')) > 0
    AND NOT EXISTS (SELECT FROM search_text t JOIN reach r ON r.id = t.resource
      WHERE t.document @@ to_tsquery('pg_catalog.swedish', w.word || ':*') OR position(plain_text(w.word) IN t.plain) > 0))
SELECT u.word, v.word AS meant FROM unknown u CROSS JOIN LATERAL (
  SELECT v.word FROM vocabulary v WHERE similarity(v.plain, u.plain) >= {LIKE_ENOUGH}
    AND abs(length(v.plain) - length(u.plain)) <= {MOST_LETTERS_OFF}
  ORDER BY similarity(v.plain, u.plain) DESC, n DESC, v.word LIMIT 1) v
""")


class _Meant(db.Record):
    word: str
    meant: str


async def corrected(filters: Filters) -> tuple[str, ...] | None:
    """Return the words with those that find nothing replaced by the most similar known ones, or None as they stand."""
    found = await ask(_Meant, _MEANT, parameters(filters))
    better = {one.word: one.meant for one in found}
    return tuple(better.get(word, word) for word in filters.words) if better else None
