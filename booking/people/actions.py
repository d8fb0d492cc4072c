"""Join, log in, log out."""

import hashlib
from datetime import date, datetime, timedelta
from uuid import UUID

from asyncpg import UniqueViolationError

from booking import db
from booking.clock import local_date
from booking.errors import Conflict, NotAllowed, Rejected
from booking.ids import new_id
from booking.people.actor import Actor, Role
from booking.people.passwords import hash_password, new_token, token_hash, verify_password
from booking.people.queries import Language

VISIT, LOGIN = timedelta(hours=2), timedelta(days=14)
TRIES_WINDOW = timedelta(minutes=10)
TRIES, TRIES_ACCOUNT, TRIES_ADDRESS = (
    8,
    40,
    60,
)  # of one address at one account; at the account; of the address
NEWCOMERS = 20  # who register, per address in TRIES_WINDOW
VISITORS = 20  # who begin to hold, per address in TRIES_WINDOW: a library's visitors, not a script's week


class BirthStated(Conflict):
    """A date of birth is said once."""

    code = "birth_stated"


class EmailTaken(Conflict):
    """Somebody has this address already."""

    code = "email_taken"


class BadCredentials(NotAllowed):
    """The address and the password don't fit together."""

    code = "bad_credentials"


class TooManyAttempts(NotAllowed):
    """Too many failures lately; `retry_after_s` seconds to wait."""

    code = "too_many_attempts"


class TooManyFromHere(NotAllowed):
    """Many visitors of one address have begun to hold lately; `retry_after_s` seconds to wait, or log in."""

    code = "too_many_holds"


async def register(
    *, name: str, email: str, password: str, home: str, now: datetime, language: Language = "sv"
) -> UUID:
    """A person has an account and is a resident of the home municipality; returns the account.

    Raises EmailTaken, or Rejected for an unknown municipality.
    """
    hashed = await hash_password(password)
    account, party = new_id(), new_id()
    try:
        async with db.transaction():
            if await db.value(str, "SELECT code FROM municipality WHERE code = $1", home) is None:
                raise Rejected("there is no such municipality here", code="unknown_municipality")
            await db.run(
                "INSERT INTO party (id, kind, name, home_municipality, email, may_be_invoiced, created_at)"
                " VALUES ($1, 'person', $2, $3, $4, false, $5)",
                party,
                name,
                home,
                email.lower(),
                now,
            )
            await db.run(
                "INSERT INTO account (id, email, password_hash, party, language, created_at)"
                " VALUES ($1, $2, $3, $4, $5, $6)",
                account,
                email.lower(),
                hashed,
                party,
                language,
                now,
            )
            await give_role(account, home, Role.RESIDENT)
    except UniqueViolationError as error:
        raise EmailTaken("there is already an account with this address") from error
    return account


async def give_role(account: UUID, municipality: str, role: Role) -> None:
    """The account holds the role there. Giving it twice is a no-op."""
    await db.run(
        "INSERT INTO role (id, account, municipality, role) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        new_id(),
        account,
        municipality,
        role,
    )


async def visit(token: str, now: datetime) -> UUID:
    """The visitor who holds this cookie has a session, so that a hold can be theirs before they log in."""
    session = await db.value(
        UUID,
        "INSERT INTO session (id, token_hash, created_at, expires_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (token_hash) DO UPDATE SET expires_at = greatest(session.expires_at, excluded.expires_at)"
        " WHERE session.account IS NULL RETURNING id",
        new_id(),
        token_hash(token),
        now,
        now + VISIT,
    )
    if session is None:
        raise NotAllowed("this session is over, load the page again", code="session_over")
    return session


async def admit_visitor(address: str, now: datetime) -> None:
    """One more visitor of this address begins to hold. Each may hold a few times, but cookies are free.

    Raises TooManyFromHere after VISITORS in ten minutes, a hold's life.
    """
    if (wait := await _count(f"visit:{address}", VISITORS, now)) is not None:
        raise TooManyFromHere("too many times are held from this address, log in or wait", retry_after_s=wait)


async def admit_newcomer(address: str, now: datetime) -> None:
    """One more person of this address registers. Raises TooManyAttempts after NEWCOMERS in ten minutes."""
    await _try(f"register:{address}", NEWCOMERS, now)


async def is_spent(token: str) -> bool:
    """True if the token belonged to a session that is over: the browser needs a new one."""
    known = await db.value(bool, "SELECT true FROM session WHERE token_hash = $1", token_hash(token))
    return known is not None


async def log_in(*, email: str, password: str, address: str, now: datetime) -> tuple[str, UUID, UUID]:
    """The person has a fresh session; returns token, session and account.

    Raises BadCredentials, or TooManyAttempts: too many in ten minutes of this address at the account, at the
    account from anywhere, or of this address at all. A stranger's guesses thus keep nobody out for long.
    """
    email = email.lower()
    pair, account, place = f"pair:{email}|{address}", f"account:{email}", f"address:{address}"
    for key, most in ((pair, TRIES), (account, TRIES_ACCOUNT), (place, TRIES_ADDRESS)):
        await _try(key, most, now)  # counted before the answer, so that guesses at once don't pass together
    found = await db.row(_Stored, "SELECT id, password_hash FROM account WHERE email = $1", email)
    if not await verify_password(found.password_hash if found else None, password) or found is None:
        raise BadCredentials("the address or the password is wrong")
    await db.run("DELETE FROM login_tries WHERE key = ANY($1)", [_key(pair), _key(account)])
    await db.run(
        "UPDATE login_tries SET failures = failures - 1 WHERE key = $1 AND failures > 0", _key(place)
    )
    token, session = await _open_session(found.id, LOGIN, now)
    return token, session, found.id


async def start_session(account: UUID, now: datetime) -> tuple[str, UUID]:
    """The account has a fresh session (after registration). Returns token and session."""
    return await _open_session(account, LOGIN, now)


async def log_out(token: str) -> None:
    """The session is gone. Logging out twice is a no-op."""
    await db.run("UPDATE session SET expires_at = '-infinity' WHERE token_hash = $1", token_hash(token))


async def set_language(language: Language, by: Actor) -> None:
    """The account reads the pages in this language from now on."""
    await db.run("UPDATE account SET language = $2 WHERE id = $1", by.must_be_known(), language)


async def state_birth(born: date, by: Actor, now: datetime) -> None:
    """The person's date of birth is known, for places with an age limit. It is said once.

    Raises Rejected for a date no living person has, BirthStated where it is known already.
    """
    by.must_be_known()
    if not date(1900, 1, 1) <= born <= local_date(now):
        raise Rejected("nobody who books was born then", code="bad_birth_date")
    stated = await db.run(
        "UPDATE party p SET born = $2 FROM account a WHERE a.id = $1 AND p.id = a.party AND p.born IS NULL",
        by.account,
        born,
    )
    if not stated:
        raise BirthStated("the date of birth is known: staff can correct it")


async def forget_old(now: datetime) -> int:
    """Sessions that ended over a week ago and stale log-in counters are gone."""
    await db.run("DELETE FROM login_tries WHERE since < $1", now - timedelta(days=1))
    return await db.run("DELETE FROM session WHERE expires_at < $1", now - timedelta(days=7))


class _Stored(db.Record):
    id: UUID
    password_hash: str


async def _open_session(account: UUID | None, life: timedelta, now: datetime) -> tuple[str, UUID]:
    token, session = new_token(), new_id()
    await db.run(
        "INSERT INTO session (id, token_hash, account, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        session,
        token_hash(token),
        account,
        now,
        now + life,
    )
    return token, session


class _Tries(db.Record):
    failures: int
    since: datetime


async def _try(key: str, most: int, now: datetime) -> None:
    if (wait := await _count(key, most, now)) is not None:
        raise TooManyAttempts("too many attempts, wait a while", retry_after_s=wait)


def _key(name: str) -> str:
    """Return the name as it fits its column, long ones by their hash."""
    return name if len(name) <= 100 else hashlib.sha256(name.encode()).hexdigest()


async def _count(key: str, most: int, now: datetime) -> int | None:
    """This try is counted; returns the seconds to wait if it is one too many in the window."""
    tries = await db.row(
        _Tries,
        "INSERT INTO login_tries (key, failures, since) VALUES ($1, 1, $2) ON CONFLICT (key) DO UPDATE SET"
        " failures = CASE WHEN login_tries.since <= $3 THEN 1 ELSE login_tries.failures + 1 END,"
        " since = CASE WHEN login_tries.since <= $3 THEN $2 ELSE login_tries.since END"
        " RETURNING failures, since",
        _key(key),
        now,
        now - TRIES_WINDOW,
    )
    if tries is None or tries.failures <= most:
        return None
    return int((tries.since + TRIES_WINDOW - now).total_seconds()) + 1
