"""One code over many bookings, moves, rotations, participants, staff by the week, cards."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from booking import db, locks
from booking.clock import SWEDEN
from booking.errors import NotFound, Rejected
from booking.ids import new_id
from booking.locks import codes, covering, credential_pages, credentials, pin_rules, sharing, sweeps, weekly
from booking.locks.credentials import Wish
from booking.locks.pin_rules import PinRule
from booking.locks.weekly import Weekly
from booking.people import Actor
from booking.span import Span
from tests.locks.conftest import TOWN, Hall, holder, hours, make_hall
from tests.locks.parts import FULL, Device, pin_of, state

SYSTEM = Actor.system()


@pytest.fixture
def device(hall: Hall) -> Device:
    return Device(hall)


async def book(
    hall: Hall, span: Span, now: datetime, party: UUID | None = None, credential: UUID | None = None
) -> UUID:
    reservation = new_id()
    await locks.grant(
        reservation=reservation,
        holder=party or reservation,
        resources=[hall.resource],
        span=span,
        purpose="training",
        credential=credential,
        now=now,
    )
    return reservation


async def move(hall: Hall, reservation: UUID, span: Span, now: datetime, party: UUID | None = None) -> None:
    await locks.move(
        reservation=reservation,
        holder=party or reservation,
        resources=[hall.resource],
        span=span,
        purpose="training",
        now=now,
    )


async def seen(reservation: UUID, now: datetime, party: UUID | None = None) -> locks.AccessView:
    return await locks.access_of(reservation, by=holder(party or reservation), now=now)


async def make_party(name: str = "Nordmalings IBK") -> UUID:
    id = new_id()
    await db.run(
        "INSERT INTO party (id, kind, name, created_at) VALUES ($1, 'association', $2, now())", id, name
    )
    return id


async def test_a_moved_booking__keeps_id_and_pin_and_is_owed_anew(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await device.report(now)
    pin, before = await pin_of(booking, now), (await device.snapshot()).grants[0]
    await move(hall, booking, hours(now, 5, 6), now)
    assert await state(booking, now) == "planned"
    await device.publish(now)
    await device.report(now)
    after = (await device.snapshot()).grants[0]

    assert (after.id, after.pin, await pin_of(booking, now)) == (before.id, before.pin, pin)
    assert min(one.nb for one in after.w) - min(one.nb for one in before.w) == 4 * 3_600
    assert await state(booking, now) == "applied"


async def test_moved_where_its_pin_is_taken__gets_another_and_the_booker_is_told(
    hall: Hall, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter([204_060, 204_060, 204_060, 204_061])
    monkeypatch.setattr(pin_rules.pins.secrets, "randbelow", lambda _: next(drawn))  # chance alone
    first = await hall.book(hours(now, 1, 2), now)
    far = await hall.book(hours(now, 72, 73), now)
    assert await pin_of(first, now) == await pin_of(far, now) == "204060"
    await move(hall, far, hours(now, 4, 5), now)

    assert await pin_of(far, now) == "204061"
    told = "SELECT count(*) FROM journal WHERE action = 'access.code_changed' AND about = $1"
    assert await db.value(int, told, far) == 1


async def test_the_old_window_of_a_moved_booking__stays_taken_and_is_watched_until_the_door_has_the_new_one(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await device.report(now)
    await move(hall, booking, hours(now, 200, 201), now)
    kept = "SELECT count(*) FROM grant_window WHERE access_grant IS NULL AND kept_until > $1"
    assert await db.value(int, kept, now + timedelta(hours=3)) == 2
    later = now + timedelta(hours=1, minutes=5)
    await locks.watch_alarms(later)
    open_ = "SELECT kind FROM door_alarm WHERE closed_at IS NULL AND kind LIKE 'removal%'"
    assert await db.column(str, open_) == ["removal_unconfirmed"]
    await device.publish(later)
    await device.report(later)
    await locks.watch_alarms(later)
    assert await db.column(str, open_) == []


async def test_moved_to_another_hall__leaves_the_first_door(
    hall: Hall, device: Device, now: datetime
) -> None:
    other = await make_hall("hall-2")
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await device.report(now)
    await move(other, booking, hours(now, 1, 2), now)
    await device.publish(now)
    assert (await device.snapshot()).grants == []
    assert {door.id for door in (await seen(booking, now)).doors} == {other.entrance, other.changing}
    await move(hall, booking, hours(now, 1, 2), now)
    assert {door.id for door in (await seen(booking, now)).doors} == {hall.entrance, hall.changing}


async def test_a_booking_of_two_halls__is_one_code_at_the_doors_of_both(hall: Hall, now: datetime) -> None:
    other = await make_hall("hall-2")
    booking = new_id()
    await locks.grant(
        reservation=booking,
        holder=booking,
        resources=[hall.resource, other.resource],
        span=hours(now, 1, 2),
        purpose="training",
        now=now,
    )
    assert len((await seen(booking, now)).doors) == 4
    assert await db.value(int, "SELECT count(DISTINCT pin_tag) FROM grant_window") == 1


async def test_a_series__has_one_code_also_for_bookings_made_later(hall: Hall, now: datetime) -> None:
    series, party = new_id(), await make_party()
    weeks = [await book(hall, hours(now, 168 * n + 1, 168 * n + 2), now, party, series) for n in range(4)]
    pins = {(await seen(one, now, party)).pin for one in weeks}

    assert len(pins) == 1
    assert (await seen(weeks[0], now, party)).code_of == "series"
    await locks.revoke(weeks[0], now=now)
    assert (await seen(weeks[1], now, party)).pin in pins


async def test_a_series_whose_pin_is_taken_at_another_door__opens_there_with_a_code_of_its_own(
    hall: Hall, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await make_hall("hall-2")
    drawn = iter([204_060, 204_060, 204_061])
    monkeypatch.setattr(pin_rules.pins.secrets, "randbelow", lambda _: next(drawn))  # chance alone
    series, party = new_id(), await make_party()
    first = await book(hall, hours(now, 1, 2), now, party, series)
    stranger = await other.book(hours(now, 10, 11), now)
    second = await book(other, hours(now, 12, 13), now, party, series)

    assert await pin_of(stranger, now) == (await seen(first, now, party)).pin == "204060"
    view = await seen(second, now, party)
    assert (view.pin, view.code_of) == ("204061", "booking")


async def standing(party: UUID, now: datetime, **more: object) -> locks.Made:
    wish = Wish(municipality=TOWN, role="association", label="IBK", party=party, valid_from=now, **more)  # type: ignore[arg-type]
    return await credentials.create_credential(wish, by=SYSTEM, now=now)


async def test_an_associations_code__opens_by_its_bookings_old_and_new_and_by_nothing_else(
    hall: Hall, device: Device, now: datetime
) -> None:
    party = await make_party()
    before = await book(hall, hours(now, 1, 2), now, party)
    own = (await seen(before, now, party)).pin
    made = await standing(party, now)
    after = await book(hall, hours(now, 3, 4), now, party)

    view = await seen(before, now, party)
    assert (view.pin, view.also_pin, view.code_of) == (made.pin, own, "standing")
    assert (await seen(after, now, party)).pin == made.pin
    await device.publish(now)
    with_it = [one for one in (await device.snapshot()).grants if one.pin == made.pin]
    assert sorted({window.nb for one in with_it for window in one.w}) == [
        int((now + timedelta(minutes=45)).timestamp()),
        int((now + timedelta(hours=2, minutes=45)).timestamp()),
    ]


async def test_a_rotation__gives_both_codes_in_its_overlap_and_the_new_one_alone_afterwards(
    hall: Hall, now: datetime
) -> None:
    party = await make_party()
    old = await standing(party, now)
    start = now + timedelta(days=3)
    early, between, late = [await book(hall, hours(now, 24 * d, 24 * d + 1), now, party) for d in (1, 5, 12)]
    new = await credentials.rotate_credential(old.id, start=start, overlap_days=7, by=SYSTEM, now=now)
    views = [await seen(one, now, party) for one in (early, between, late)]

    assert [(one.pin, one.also_pin) for one in views] == [
        (old.pin, None),
        (new.pin, old.pin),
        (new.pin, None),
    ]
    with pytest.raises(Rejected):
        await credentials.rotate_credential(old.id, start=start, overlap_days=7, by=SYSTEM, now=now)


async def test_the_yearly_day__is_prepared_thirty_days_ahead_once(hall: Hall, now: datetime) -> None:
    party = await make_party()
    await standing(party, now, rotates_on="01-10", overlap_days=14)
    assert await credentials.rotate_due(datetime(2026, 12, 10, 12, tzinfo=UTC)) == 0
    assert await credentials.rotate_due(datetime(2026, 12, 12, tzinfo=UTC)) == 1
    assert await credentials.rotate_due(datetime(2026, 12, 13, tzinfo=UTC)) == 0
    first, second = await credential_pages.credentials_of(TOWN, by=SYSTEM)

    assert second.valid_from == datetime(2027, 1, 10, tzinfo=SWEDEN)
    assert (first.successor_id, first.valid_to) == (second.id, datetime(2027, 1, 24, tzinfo=SWEDEN))
    assert credentials.next_rotation("09-01", datetime(2026, 9, 1, 12, tzinfo=UTC)).year == 2027


async def test_a_leaked_associations_code__leaves_and_its_bookings_get_their_own(
    hall: Hall, now: datetime
) -> None:
    party = await make_party()
    made = await standing(party, now)
    booking = await book(hall, hours(now, 1, 2), now, party)
    await credentials.revoke_credential(made.id, by=SYSTEM, now=now)
    view = await seen(booking, now, party)

    assert view.code_of == "booking"
    assert view.pin not in (None, made.pin)
    assert view.also_pin is None


async def test_staffs_list__says_what_the_doors_have_confirmed_and_not_yet_let_go(
    hall: Hall, device: Device, now: datetime
) -> None:
    wish = Wish(municipality=TOWN, role="clean", label="Städ", valid_from=now)
    made = await credentials.create_credential(wish, by=SYSTEM, now=now)

    async def stand() -> tuple[int, int, int]:
        one = await credential_pages.credential_of(made.id, by=SYSTEM)
        return one.controllers_waiting, one.controllers_confirmed, one.controllers_leaving

    assert await stand() == (1, 0, 0)
    await device.publish(now)
    await device.report(now)
    assert await stand() == (0, 1, 0)
    await credentials.revoke_credential(made.id, by=SYSTEM, now=now)
    assert await stand() == (0, 0, 1)
    await device.publish(now)
    await device.report(now)
    assert await stand() == (0, 0, 0)


async def test_a_door_that_comes_later__has_the_codes_that_are_good_for_every_door(
    hall: Hall, device: Device, now: datetime
) -> None:
    wish = Wish(municipality=TOWN, role="clean", label="Städ", valid_from=now)
    made = await credentials.create_credential(wish, by=SYSTEM, now=now)
    await device.publish(now)
    await device.report(now)
    await locks.add_door(hall.controller, "d3", "Förråd")
    other = await make_hall("annan")

    assert await covering.cover_new_doors(now) == 2
    assert await covering.cover_new_doors(now) == 0
    assert (await credential_pages.credential_of(made.id, by=SYSTEM)).controllers_waiting == 2
    await device.publish(now)
    (grant,) = (await device.snapshot()).grants
    assert sorted({door for window in grant.w for door in window.d}) == ["d1", "d2", "d3"]
    assert grant.pin == made.pin
    await Device(other).publish(now)
    assert [one.pin for one in (await Device(other).snapshot()).grants] == [made.pin]


async def test_a_later_door_that_cannot_take_the_code__goes_without_and_owes_nothing(
    hall: Hall, device: Device, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        pin_rules.pins.secrets, "randbelow", lambda _: 204_060
    )  # chance alone: a PIN with noughts
    wish = Wish(municipality=TOWN, role="staff", label="Vakt", valid_from=now)
    await credentials.create_credential(wish, by=SYSTEM, now=now)
    other = await make_hall("nuki")
    await db.run("UPDATE controller SET driver = 'nuki_hub' WHERE id = $1", other.controller)
    wanted = "SELECT want_ver FROM controller WHERE id = $1"
    before = await db.value(int, wanted, other.controller)

    assert await covering.cover_new_doors(now) == 0
    assert await db.value(int, wanted, other.controller) == before


async def test_a_participants_code__hangs_on_the_leaders_and_can_be_taken_back(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    await device.publish(now)
    await device.report(now, cap=FULL)
    made = await sharing.share(booking, "P12", by=holder(booking), now=now)
    await device.publish(now)
    await device.report(now, cap=FULL)
    leader, member = (await device.snapshot()).grants
    assert (member.role, member.after, member.pin) == ("member", leader.id, made.pin)
    (share,) = (await seen(booking, now)).shares
    assert (share.id, share.label, share.state) == (made.id, "P12", "applied")
    assert (await seen(booking, now)).pin == leader.pin

    await move(hall, booking, hours(now, 3, 4), now)
    await device.publish(now)
    leader, member = (await device.snapshot()).grants
    assert (member.after, member.pin, member.w[0].nb) == (leader.id, made.pin, leader.w[0].nb)
    with pytest.raises(NotFound):
        await sharing.unshare(booking, made.id, by=holder(new_id()), now=now)
    await sharing.unshare(booking, made.id, by=holder(booking), now=now)
    await device.publish(now)
    assert [one.role for one in (await device.snapshot()).grants] == ["leader"]
    assert (await seen(booking, now)).shares == []


async def test_a_door_without_the_feature__shares_nothing_and_a_stranger_neither(
    hall: Hall, device: Device, now: datetime
) -> None:
    booking = await hall.book(hours(now, 1, 2), now)
    with pytest.raises(NotFound):
        await sharing.share(booking, "x", by=holder(new_id()), now=now)
    await device.publish(now)
    await device.report(now)
    with pytest.raises(sharing.NothingToShare):
        await sharing.share(booking, "x", by=holder(booking), now=now)


async def test_cleaning__opens_by_the_week_in_local_time_on_both_sides_of_the_clock_change(
    hall: Hall,
) -> None:
    rule = [
        Weekly(weekdays=[5, 6], from_="22:00", to="06:00"),
        Weekly(weekdays=[0], from_="06:00", to="08:00"),
    ]
    around = Span(datetime(2027, 10, 30, tzinfo=UTC), datetime(2027, 11, 2, tzinfo=UTC))
    spans = weekly.expand(rule, around)

    assert [(one.start, one.length) for one in spans] == [
        (datetime(2027, 10, 30, 20, tzinfo=UTC), timedelta(hours=9)),  # the night is an hour longer
        (datetime(2027, 10, 31, 21, tzinfo=UTC), timedelta(hours=10)),  # joined with Monday 06–08
    ]


async def test_a_cleaners_card_and_pin__stand_in_every_door_she_has(
    hall: Hall, device: Device, now: datetime
) -> None:
    await device.publish(now)
    await device.report(now, cap=FULL)
    wish = Wish(
        municipality=TOWN,
        role="clean",
        label="Städ",
        means="pin+card",
        card="04A1B2C3D4",
        doors=[hall.entrance],
        weekly=[Weekly(weekdays=[0, 1, 2, 3, 4], from_="05:00", to="07:00")],
        valid_from=now,
    )
    made = await credentials.create_credential(wish, by=SYSTEM, now=now)
    await device.publish(now)
    (grant,) = (await device.snapshot()).grants

    assert (grant.role, grant.k, grant.card, grant.pin) == ("clean", "pin+card", "04A1B2C3D4", made.pin)
    assert {door for one in grant.w for door in one.d} == {"d1"}
    assert len(grant.w) <= 64
    assert all(one.na - one.nb == 7_200 for one in grant.w)
    text = await db.value(str, "SELECT string_agg(t::text, ' ') FROM access_credential t")
    assert "04A1B2C3D4" not in (text or "")


async def test_a_card_alone__needs_no_pin(hall: Hall, device: Device, now: datetime) -> None:
    await device.publish(now)
    await device.report(now, cap=FULL)
    wish = Wish(municipality=TOWN, role="staff", label="Vakt", means="card", card="04A1B2C3", valid_from=now)
    assert (await credentials.create_credential(wish, by=SYSTEM, now=now)).pin is None
    await device.publish(now)
    (grant,) = (await device.snapshot()).grants
    assert (grant.role, grant.k, grant.card) == ("staff", "card", "04A1B2C3")
    await device.report(now, cap=FULL)
    assert await sweeps.expire_ended(now + timedelta(days=300)) == 0


@dataclass(frozen=True)
class Keypad:
    driver: str
    report: str | None = None


def test_each_drivers_rule__holds_for_every_code_drawn() -> None:
    nuki = pin_rules.common([Keypad("nuki_hub"), Keypad("native")])
    for _ in range(500):
        pin = pin_rules.draw(nuki)
        assert len(pin) == 6
        assert "0" not in pin
        assert not pin.startswith("12")
    assert pin_rules.common([Keypad("native")]).allows("004216")
    assert len(pin_rules.draw(PinRule(4, 4))) == 4
    assert timedelta(hours=24) == codes.PIN_QUARANTINE


async def test_a_keypad_of_four_digits__gets_codes_of_four_also_for_what_it_refused_before_it_said_so(
    hall: Hall, device: Device, now: datetime
) -> None:
    early = await hall.book(hours(now, 1, 2), now)
    assert len(await pin_of(early, now) or "") == 6
    await device.publish(now)
    (grant,) = (await device.snapshot()).grants
    short = {**FULL, "pin_min": 4, "pin_max": 4}
    await device.report(now, cap=short, rej=[{"id": grant.id, "why": "format"}])
    late = await hall.book(hours(now, 5, 6), now)
    await device.publish(now)
    await device.report(now, cap=short)

    assert {len(await pin_of(one, now) or "") for one in (early, late)} == {4}
    assert {await state(one, now) for one in (early, late)} == {"applied"}


async def test_more_weekly_times_than_a_door_holds__are_refused_when_the_rule_is_made(
    hall: Hall, device: Device, now: datetime
) -> None:
    week = [0, 1, 2, 3, 4, 5, 6]

    def rule(step: int, minutes: int) -> list[Weekly]:
        every = [(hour, f"{hour:02d}:{minutes:02d}") for hour in range(0, 24, step)]
        return [Weekly(weekdays=week, from_=f"{hour:02d}:00", to=to) for hour, to in every]

    wish = Wish(municipality=TOWN, role="staff", label="V", valid_from=now, weekly=rule(1, 30))
    with pytest.raises(Rejected) as refused:
        await credentials.create_credential(wish, by=SYSTEM, now=now)
    assert refused.value.code == "too_many_windows"
    assert await db.value(int, "SELECT count(*) FROM access_credential") == 0

    assert weekly.fits(rule(8, 30))
    assert not weekly.fits(rule(5, 30))
    crowded = [Weekly(weekdays=week, from_="06:00", to=f"{9 + n // 2:02d}:00") for n in range(28)]
    most = Wish(municipality=TOWN, role="staff", label="V", valid_from=now, weekly=crowded)
    await credentials.create_credential(most, by=SYSTEM, now=now)
    await device.publish(now)
    (grant,) = (await device.snapshot()).grants
    assert max(one.na for one in grant.w) > int((now + timedelta(days=14)).timestamp())


async def test_a_code_for_nobody_we_know__is_refused(hall: Hall, now: datetime) -> None:
    with pytest.raises(Rejected) as refused:
        await standing(new_id(), now)
    assert refused.value.code == "unknown_party"
