"""How many bookings a second people can make over HTTP, against what PostgreSQL can do with the very same SQL.

`./run bench book [--seconds 10] [--rounds 2] [--clients 16] [--json]`. A booking is what a customer's page does: hold a
time, then reserve it on invoice. Both are committed with occupancy, charge, doors, journal, outbox and the answer
kept for a repeated key. Two real web processes; the clients are so thin that they are not what is measured.

The rival is pgbench with as many connections. Its script is not written but recorded: the application itself makes
bookings once more with a logger on its connection, and what it sent becomes the script, prepared, with only ids and
times made fresh. So it can't drift from the product.

    http_rps       bookings a second over HTTP (hold and reserve)
    pgbench_tps    the same two transactions a second by pgbench, without Python, HTTP, rules or prices
    ratio          the first by the second
    ratio_all_sql  the same where pgbench also runs what the requests ask outside the transactions
"""

import asyncio
import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench._book_http import over_http
from bench._book_people import APART, FIRST_DAY, bookable, settle
from bench._book_rival import Script, by_pgbench, in_transactions, recorded, uuids_in
from bench._web import web
from bench.common import Numbers, machine, options, p50, p95, progress, report, say, server
from booking import postgres
from booking.clock import utc_now
from booking.migrate import migrate


async def measure(running: postgres.Server, folder: Path, args: Any) -> Numbers:
    """Return what was measured."""
    now = utc_now()
    running.create("book")
    await migrate(running.url(postgres.OWNER, "book"))
    persons = await settle(running.url(postgres.APP, "book"), folder, args.clients, now)
    slots = await bookable(running.url(postgres.APP, "book"), now)
    for name in ("recorded", "rival", "product"):
        running.clone("book", name)
    say(f"recording one booking each of {len(slots)} resources, twice")
    pairs = [(found[0], found[APART * 4]) for found in slots.values()]
    again = [(found[1], found[APART * 8]) for found in slots.values()]
    address = running.url(postgres.APP, "recorded")
    first = await recorded(address, folder, persons[0], pairs)
    second = await recorded(address, folder, persons[0], again)
    inside, whole = [], []
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        script = Script(uuids_in(one) - uuids_in(other), now + timedelta(days=FIRST_DAY - 2))
        for kind, kept in ((inside, in_transactions(one)), (whole, one)):
            path = folder / f"{'inside' if kind is inside else 'whole'}{number}.sql"
            path.write_text(script.text(kept))
            kind.append(path)
    statements = sum(len(in_transactions(one)) for one in first) / len(first)
    every = iter([one for each in zip(*slots.values(), strict=False) for one in each][3 * len(slots) :])
    http, rival, all_sql, answers = list[float](), list[float](), list[float](), list[float]()
    with ExitStack() as stack:
        webs = [
            stack.enter_context(web(running.url(postgres.APP, "product"), folder, n))
            for n in range(args.webs)
        ]
        await over_http(webs, persons, every, 2)
        by_pgbench(running, "rival", inside, args.clients, 2)
        with progress(f"{args.rounds} rounds of {args.seconds} s each way", args.rounds * 3) as more:
            for _ in range(args.rounds):
                speed, took = await over_http(webs, persons, every, args.seconds)
                http.append(speed)
                answers += took
                more(1)
                rival.append(by_pgbench(running, "rival", inside, args.clients, args.seconds))
                more(1)
                all_sql.append(by_pgbench(running, "rival", whole, args.clients, args.seconds))
                more(1)
    mean = [sum(each) / len(each) for each in (http, rival, all_sql)]
    return {
        "http_rps": round(mean[0], 1),
        "pgbench_tps": round(mean[1], 1),
        "ratio": round(mean[0] / mean[1], 3),
        "ratio_all_sql": round(mean[0] / mean[2], 3),
        "request_p50_ms": p50(answers),
        "request_p95_ms": p95(answers),
        "statements_per_booking": round(statements, 1),
        "resources": len(slots),
        "clients": args.clients,
        "webs": args.webs,
        "durable": int(not args.forgetful),
        **machine(),
    }


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--webs", type=int, default=2)
    parser.add_argument("--forgetful", action="store_true", help="without fsync: what the processors allow")
    parser.add_argument("--scripts", type=Path, help="also leave pgbench's scripts in this folder")
    args = parser.parse_args()
    with (
        postgres.temporary() if args.forgetful else server(None) as running,
        tempfile.TemporaryDirectory(prefix="booking-book-") as name,
    ):
        folder = args.scripts or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        numbers = asyncio.run(measure(running, folder, args))
    report(numbers, as_json=args.json)


if __name__ == "__main__":
    main()
