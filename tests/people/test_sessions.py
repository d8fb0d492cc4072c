"""Log in, log out, throttle."""

import asyncio
from datetime import datetime, timedelta

import pytest

from booking import db
from booking.errors import NotAllowed, Rejected
from booking.people import Role, actor_of_session
from booking.people.actions import (
    TRIES,
    TRIES_ACCOUNT,
    TRIES_ADDRESS,
    TRIES_WINDOW,
    BadCredentials,
    EmailTaken,
    TooManyAttempts,
    is_spent,
    log_in,
    log_out,
    register,
    visit,
)

SECRET = "a long enough password"


@pytest.fixture
async def town(pool: str) -> str:
    await db.run(
        "INSERT INTO municipality (code, name, lat, lon, contact_email, contact_phone, on_call_phone)"
        " VALUES ('2401', 'Nordmaling', 63.57, 19.5, 'a@b', '1', '2')"
    )
    return "2401"


async def _register(town: str, now: datetime, email: str = "Eva@Example.se") -> None:
    await register(name="Eva", email=email, password=SECRET, home=town, now=now)


async def test_registering__makes_a_resident_of_the_home_municipality(town: str, now: datetime) -> None:
    await _register(town, now)

    token, _, account = await log_in(email="eva@example.se", password=SECRET, address="::1", now=now)
    actor = await actor_of_session(token, now)

    assert actor is not None
    assert (actor.account, actor.home) == (account, town)
    assert actor.has(town, Role.RESIDENT)
    assert not actor.has(town, Role.STAFF)
    assert actor.party in actor.acts_for


async def test_the_same_address_twice__is_refused_whatever_its_case(town: str, now: datetime) -> None:
    await _register(town, now)

    with pytest.raises(EmailTaken):
        await _register(town, now, "EVA@example.SE")


async def test_an_unknown_home_municipality__is_refused(town: str, now: datetime) -> None:
    with pytest.raises(Rejected) as refused:
        await register(name="Eva", email="e@x.se", password=SECRET, home="9999", now=now)

    assert refused.value.code == "unknown_municipality"
    assert await db.value(int, "SELECT count(*) FROM account") == 0


async def test_the_stored_password__is_argon2id(town: str, now: datetime) -> None:
    await _register(town, now)

    stored = await db.value(str, "SELECT password_hash FROM account")
    assert stored is not None
    assert stored.startswith("$argon2id$")


async def _guess(email: str, address: str, now: datetime, times: int) -> None:
    for _ in range(times):
        with pytest.raises(BadCredentials):
            await log_in(email=email, password="wrong", address=address, now=now)


async def test_wrong_passwords__stop_the_guesser_for_a_while_and_nobody_else(
    town: str, now: datetime
) -> None:
    await _register(town, now)
    await _guess("eva@example.se", "10.0.0.1", now, TRIES)

    with pytest.raises(TooManyAttempts) as refused:
        await log_in(email="eva@example.se", password=SECRET, address="10.0.0.1", now=now)

    assert 0 < refused.value.extra["retry_after_s"] <= TRIES_WINDOW.total_seconds() + 1
    token, _, _ = await log_in(email="eva@example.se", password=SECRET, address="10.0.0.99", now=now)
    assert await actor_of_session(token, now) is not None
    later = now + TRIES_WINDOW
    token, _, _ = await log_in(email="eva@example.se", password=SECRET, address="10.0.0.1", now=later)
    assert await actor_of_session(token, later) is not None


async def test_guesses_from_many_addresses__stop_at_the_account(town: str, now: datetime) -> None:
    for n in range(TRIES_ACCOUNT // TRIES):
        await _guess("nobody@x.se", f"10.0.1.{n}", now, TRIES)

    with pytest.raises(TooManyAttempts):
        await log_in(email="nobody@x.se", password="wrong", address="10.0.2.1", now=now)


async def test_many_accounts_tried_from_one_address__stop_the_address(town: str, now: datetime) -> None:
    await _guess("nobody0@x.se", "10.0.0.1", now, 1)
    await db.run(
        "UPDATE login_tries SET failures = $1 WHERE key = 'address:10.0.0.1'", TRIES_ADDRESS - 2
    )  # 40 s of hashing otherwise
    for n in (1, 2):
        await _guess(f"nobody{n}@x.se", "10.0.0.1", now, 1)

    with pytest.raises(TooManyAttempts):
        await log_in(email="somebody@x.se", password="wrong", address="10.0.0.1", now=now)


async def test_a_house_where_everybody_logs_in__is_not_stopped(town: str, now: datetime) -> None:
    await _register(town, now)
    await db.run(
        "INSERT INTO login_tries (key, failures, since) VALUES ('address:10.0.0.1', $1, $2)",
        TRIES_ADDRESS - 1,
        now,
    )

    for _ in range(3):
        await log_in(email="eva@example.se", password=SECRET, address="10.0.0.1", now=now)


async def test_guesses_at_once__are_each_counted(town: str, now: datetime) -> None:
    await _register(town, now)
    wrong = (
        log_in(email="eva@example.se", password="wrong", address="::1", now=now) for _ in range(TRIES + 4)
    )
    answers = await asyncio.gather(*wrong, return_exceptions=True)

    assert sum(isinstance(one, TooManyAttempts) for one in answers) == 4


async def test_a_session_that_is_over__is_nobodys(town: str, now: datetime) -> None:
    await _register(town, now)
    token, _, _ = await log_in(email="eva@example.se", password=SECRET, address="::1", now=now)

    assert await actor_of_session(token, now + timedelta(days=15)) is None
    await log_out(token)
    assert await actor_of_session(token, now) is None


async def test_a_visit_with_the_cookie_of_a_closed_account_session__does_not_revive_it(
    town: str, now: datetime
) -> None:
    await _register(town, now)
    token, _, _ = await log_in(email="eva@example.se", password=SECRET, address="::1", now=now)
    await log_out(token)

    with pytest.raises(NotAllowed):
        await visit(token, now)
    assert await is_spent(token)
    assert await actor_of_session(token, now) is None
