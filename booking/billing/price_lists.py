"""Publishing price lists, and finding the one in force."""

from datetime import date, datetime
from uuid import UUID

import msgspec
from asyncpg import UniqueViolationError

from booking import db
from booking.billing.pricing import Quote, Tariff, compile_tariff
from booking.billing.proof import prove
from booking.billing.tariff_data import Example, ResourceClass, Rule, TariffList, digest
from booking.errors import Conflict, NotFound

_compiled: dict[tuple[str, str], Tariff] = {}  # by id and hash; a published list never changes


class _Head(db.Record):
    id: str
    sha256: str


class _Dated(_Head):
    valid_from: date


class AlreadyPublished(Conflict):
    """A version, or a list from that day, is published already. Publish a new version instead."""

    code = "tariff_already_published"


async def publish(data: TariffList, *, now: datetime, account: UUID | None = None) -> Tariff:
    """The list is in force from its first day, for good. Raises ListRefused, AlreadyPublished.

    Publishing the very same list again is a no-op.
    """
    tariff = prove(data)
    known = await db.row(_Head, "SELECT id, sha256 FROM tariff_list WHERE id = $1", data.id)
    if known is not None and known.sha256 == digest(data):
        return tariff
    try:
        async with db.transaction():
            await _insert(data, now, account)
    except UniqueViolationError as error:
        raise AlreadyPublished(f"{data.id} or a list from {data.valid_from} is published already") from error
    return tariff


async def tariff_in_force(municipality: str, on: date) -> Tariff:
    """Return the municipality's list for a local date. Raises NotFound when it has none."""
    found = await db.row(
        _Head,
        "SELECT id, sha256 FROM tariff_list WHERE municipality = $1 AND valid_from <= $2"
        " ORDER BY valid_from DESC LIMIT 1",
        municipality,
        on,
    )
    if found is None:
        raise NotFound(f"municipality {municipality} has no price list for {on}", code="no_tariff")
    return await _compiled_list(found)


async def tariffs_through(municipality: str, first: date, last: date) -> list[tuple[date, Tariff]]:
    """Return the lists in force on the local dates, each with the day it begins, the earliest first."""
    found = await db.rows(
        _Dated,
        "SELECT id, sha256, valid_from FROM tariff_list WHERE municipality = $1 AND valid_from <= $3"
        " AND valid_from >= coalesce((SELECT max(valid_from) FROM tariff_list"
        "  WHERE municipality = $1 AND valid_from <= $2), $2) ORDER BY valid_from",
        municipality,
        first,
        last,
    )
    return [(one.valid_from, await _compiled_list(one)) for one in found]


async def _compiled_list(head: _Head) -> Tariff:
    key = (head.id, head.sha256)
    if key not in _compiled:
        _compiled[key] = compile_tariff(await _load(head.id))
    return _compiled[key]


async def tariff_of(snapshot: Quote) -> Tariff:
    """Return the list that a booking was priced by: its terms hold however lists change. Raises NotFound."""
    municipality_list = snapshot.tariff_id
    known = next((tariff for (name, _), tariff in _compiled.items() if name == municipality_list), None)
    return known or compile_tariff(await _load(municipality_list))


async def resource_classes(municipality: str, on: date) -> dict[str, ResourceClass]:
    """Return what the list in force prices, by class name."""
    return (await tariff_in_force(municipality, on)).data.classes


async def _insert(data: TariffList, now: datetime, account: UUID | None) -> None:
    head = msgspec.structs.replace(data, rules=(), examples=())
    await db.run(
        "INSERT INTO tariff_list (id, municipality, valid_from, decision, source_url, sha256, head, published_at,"
        " published_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        data.id,
        data.municipality,
        date.fromisoformat(data.valid_from),
        data.decision,
        data.source_url,
        digest(data),
        msgspec.json.encode(head).decode(),
        now,
        account,
    )
    await _insert_all(data.id, "tariff_rule", "rule", [(rule.id, rule) for rule in data.rules])
    await _insert_all(data.id, "tariff_example", "example", [(one.id, one) for one in data.examples])


async def _insert_all(
    list_id: str, table: str, column: str, items: list[tuple[str, Rule]] | list[tuple[str, Example]]
) -> None:
    await db.run_many(
        f"INSERT INTO {table} (list, position, {column}, body) VALUES ($1, $2, $3, $4)",
        [(list_id, n, name, msgspec.json.encode(item).decode()) for n, (name, item) in enumerate(items)],
    )


async def _load(list_id: str) -> TariffList:
    head = await db.value(str, "SELECT head FROM tariff_list WHERE id = $1", list_id)
    rules = await db.column(str, "SELECT body FROM tariff_rule WHERE list = $1 ORDER BY position", list_id)
    examples = await db.column(
        str, "SELECT body FROM tariff_example WHERE list = $1 ORDER BY position", list_id
    )
    if head is None:
        raise NotFound(f"there is no price list {list_id}")
    return msgspec.structs.replace(
        msgspec.json.decode(head, type=TariffList),
        rules=tuple(msgspec.json.decode(body, type=Rule) for body in rules),
        examples=tuple(msgspec.json.decode(body, type=Example) for body in examples),
    )
