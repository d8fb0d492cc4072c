"""A town for the doors' measurements: halls with a controller each."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

from booking import db, locks
from booking.ids import new_id
from booking.people import Actor


async def build(count: int, folder: Path, now: datetime) -> tuple[list[UUID], dict[str, str]]:
    """So many halls with a controller each; returns them and the accounts' passwords. Key files lie in the folder."""
    await db.run(
        "INSERT INTO municipality (code, name, lat, lon, contact_email, contact_phone, on_call_phone)"
        " VALUES ('2401', 'Nordmaling', 63.5, 19.5, 'a@example.se', '0930', '0930')"
    )
    resources, passwords = [], {}
    for number in range(count):
        facility, hall, name = new_id(), new_id(), f"bench-{number}"
        await db.run(
            "INSERT INTO facility (id, municipality, slug, name, address, lat, lon)"
            " VALUES ($1, '2401', $2, $2, 'x', 1, 1)",
            facility,
            name,
        )
        await db.run(
            "INSERT INTO resource (id, facility, calendar, kind, slug, name, tariff_class)"
            " VALUES ($1, $2, $2, 'hall', $3, $3, 'h')",
            hall,
            facility,
            name,
        )
        made = await locks.enrol(name, facility=facility, by=Actor.system(), now=now, simulated=True)
        await locks.allow(hall, await locks.add_door(name, "d1", "Entré"))
        passwords[name] = made.password
        (folder / f"{name}.json").write_bytes(made.key_file)
        resources.append(hall)
    await db.run("UPDATE controller SET account_secret = NULL")
    await db.run("DELETE FROM outbox WHERE kind = 'locks.account'")
    return resources, passwords
