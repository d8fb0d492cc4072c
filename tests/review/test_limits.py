"""What somebody without an account can use up: times, sessions, guesses."""

from datetime import datetime, timedelta

import pytest

from booking import db
from booking.people.actions import (
    TRIES,
    VISITORS,
    BadCredentials,
    TooManyAttempts,
    TooManyFromHere,
    admit_visitor,
    log_in,
    register,
)
from tests.api.conftest import Enter, resource_named

HOLD = {"start": "2027-01-04T18:00:00Z", "end": "2027-01-04T19:00:00Z"}
TEN = timedelta(minutes=10)


async def test_visitors_of_one_address__begin_only_so_many_holds(pool: str, now: datetime) -> None:
    for _ in range(VISITORS):
        await admit_visitor("10.0.0.1", now)

    with pytest.raises(TooManyFromHere) as refused:
        await admit_visitor("10.0.0.1", now + timedelta(minutes=9))
    assert 0 < refused.value.extra["retry_after_s"] <= 61
    await admit_visitor("10.0.0.2", now)
    await admit_visitor("10.0.0.1", now + TEN)


async def test_a_fresh_cookie_per_hold__does_not_get_round_the_limit(person: Enter, now: datetime) -> None:
    eva, visitor = await person("eva@demo.test"), await person(None)
    hall = await resource_named(eva, "2401", "hammarhallen hela")
    await db.run(
        "INSERT INTO login_tries (key, failures, since) VALUES ('visit:127.0.0.1', $1, now())", VISITORS
    )

    answer = await visitor.send("POST", "/api/holds", json={"resource_id": hall["id"], **HOLD})

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_holds")
    assert int(answer.headers["retry-after"]) > 0
    assert await db.value(int, "SELECT count(*) FROM session WHERE account IS NULL") == 0
    await eva.post("/api/holds", {"resource_id": hall["id"], **HOLD})  # who has an account is not concerned


async def test_a_long_address__is_guarded_against_guessing_too(town: object, now: datetime) -> None:
    email = "a" * 150 + "@example.se"
    await register(name="Long", email=email, password="the right password", home="2401", now=now)
    for _ in range(TRIES):
        with pytest.raises(BadCredentials):
            await log_in(email=email, password="wrong", address="10.0.0.1", now=now)

    with pytest.raises(TooManyAttempts):
        await log_in(email=email, password="wrong", address="10.0.0.1", now=now)
