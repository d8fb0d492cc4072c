"""The same search by PyPI libres, in a process that has libres instead of us. Reads one JSON job, prints one JSON line.

per scheduler: as its manual shows: a Scheduler per resource, search_allocations(available_only), free slots of each.
best: its own query builder once for all resources of the wish, then free slots of each allocation.
"""

import json
import sys
import time
from datetime import datetime, timedelta

from libres import new_scheduler, registry
from libres.db.models import Allocation
from libres.db.queries import Queries

SHOWN, RASTER = 6, 30


def connect(dsn: str) -> object:
    context = registry.register_context("bench")
    context.set_setting("dsn", dsn.replace("postgresql://", "postgresql+psycopg2://"))
    return context


def starts(allocation: Allocation, minutes: int) -> list[datetime]:
    """Return the starts from which the wished length is free: so many slots in a row."""
    run, found, before = 0, [], None
    for start, end in allocation.free_slots():
        run = run + 1 if before == start else 1
        before = end + timedelta(microseconds=1)
        if run * RASTER >= minutes:
            found.append(start - timedelta(minutes=minutes - RASTER))
    return found


def per_scheduler(schedulers: list, day: tuple[datetime, datetime], minutes: int) -> dict:
    answer = {}
    for scheduler in schedulers:
        found = []
        for allocation in scheduler.search_allocations(*day, available_only=False, strict=True):
            found += starts(allocation, minutes)
        if found:
            answer[scheduler.name] = (len(found), found[:SHOWN])
    return answer


def best(context: object, resources: list, day: tuple[datetime, datetime], minutes: int) -> dict:
    session = context.get_service("session_provider").session()
    query = session.query(Allocation).filter(Allocation.mirror_of.in_(resources))
    answer: dict = {}
    for allocation in Queries.allocations_in_range(query, *day):
        found = starts(allocation, minutes)
        if found:
            count, first = answer.get(allocation.resource, (0, []))
            answer[allocation.resource] = (count + len(found), (first + found)[:SHOWN])
    return answer


def main() -> None:
    job = json.load(sys.stdin)
    context = connect(job["dsn"])
    schedulers = [new_scheduler(context, name, "Europe/Stockholm") for name in job["names"]]
    if job["do"] == "prepare":
        schedulers[0].setup_database()
        schedulers[0].commit()
        print(json.dumps({one.name: str(one.resource) for one in schedulers}))
        return
    resources = [one.resource for one in schedulers]
    session = context.get_service("session_provider").session()
    took, free = [], 0
    for number, (start, end) in enumerate(job["days"]):
        day = (datetime.fromisoformat(start), datetime.fromisoformat(end))
        begun = time.perf_counter()
        if job["do"] == "scheduler":
            answer = per_scheduler(schedulers, day, job["minutes"])
        else:
            answer = best(context, resources, day, job["minutes"])
        took.append((time.perf_counter() - begun) * 1000)
        free = sum(count for count, _ in answer.values())
        session.rollback()  # a new request starts with an empty session
        session.expunge_all()
        print(f"{job['do']} {number + 1}/{len(job['days'])}: {took[-1]:.0f} ms", file=sys.stderr, flush=True)
    print(json.dumps({"ms": took, "free": free}))


if __name__ == "__main__":
    main()
