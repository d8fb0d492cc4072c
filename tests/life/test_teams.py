"""An association's time given to its groups: they see theirs and nothing else, and who leads has the code."""

from datetime import datetime
from uuid import UUID

import pytest

from booking import db, reservations
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Stretch
from tests.life.conftest import after, book
from tests.reservations.conftest import LogIn, day_after, on, party, refused


@pytest.fixture
async def club(hall: Resource) -> UUID:
    """Nordmalings IBK, which ali (rival) acts for."""
    return await party("Nordmalings IBK")


@pytest.fixture
async def booked(hall: Resource, club: UUID, rival: Actor, now: datetime) -> UUID:
    """The club's hall, next Monday 18–20."""
    return await book(hall, on(day_after(now, 7), "18:00"), rival, now, club)


@pytest.fixture
async def teams(club: UUID, rival: Actor, eva: Actor, now: datetime) -> tuple[UUID, UUID]:
    """Two teams; eva leads the first."""
    first = await reservations.create_team(club, "P13", by=rival, now=now)
    second = await reservations.create_team(club, "F14", by=rival, now=now)
    await reservations.add_member(first, "EVA@demo.test", True, by=rival, now=now)
    return first, second


async def times_of(by: Actor, now: datetime) -> list[tuple[str, datetime, datetime]]:
    found, total = await reservations.team_times(by, team=None, now=now, limit=30, offset=0)
    assert total == len(found)
    return [(one.team.name, one.start, one.end) for one in found]


async def test_a_group__sees_its_own_stretch_and_the_association_all(
    booked: UUID, teams: tuple[UUID, UUID], rival: Actor, eva: Actor, clerk: Actor, now: datetime
) -> None:
    early, late = on(day_after(now, 7), "18:00", 60), on(day_after(now, 7), "19:00", 60)
    stretches = [Stretch(teams[0], early), Stretch(teams[1], late)]

    await reservations.divide_among_teams(booked, stretches, by=rival, now=now)

    assert await times_of(eva, now) == [("P13", early.start, early.end)]
    assert len(await times_of(rival, now)) == 2
    assert await times_of(clerk, now) == []
    page = await reservations.team_page(booked, eva, now)
    assert [one.team.name for one in page.times] == ["P13"]
    assert page.code is not None
    assert page.code.pin is not None
    assert await refused(reservations.page(booked, eva, now)) == "not_found"
    assert await refused(reservations.team_page(booked, clerk, now)) == "not_found"
    assert await refused(reservations.shared(booked, eva)) == "not_found"
    looks = "SELECT account FROM journal WHERE about = $1 AND action = 'access.shown_to_team'"
    assert await db.column(UUID, looks, booked) == [eva.account]


async def test_a_member_who_does_not_lead__sees_no_code(
    booked: UUID, teams: tuple[UUID, UUID], rival: Actor, eva: Actor, now: datetime
) -> None:
    await reservations.give_to_team(booked, teams[0], by=rival, now=now)
    await reservations.add_member(teams[0], "eva@demo.test", False, by=rival, now=now)

    assert (await reservations.team_page(booked, eva, now)).code is None
    (team,) = await reservations.teams_of(eva, party=None)
    assert (team.may_manage, team.leads, team.members) == (False, False, [])


async def test_two_teams__cannot_have_the_same_time(
    booked: UUID, teams: tuple[UUID, UUID], rival: Actor, now: datetime
) -> None:
    span = on(day_after(now, 7), "18:00", 90)
    kept = [Stretch(teams[0], span)]
    await reservations.divide_among_teams(booked, kept, by=rival, now=now)

    both = [Stretch(teams[0], span), Stretch(teams[1], on(day_after(now, 7), "19:00", 60))]
    assert (
        await refused(reservations.divide_among_teams(booked, both, by=rival, now=now))
        == "team_times_overlap"
    )
    outside = [Stretch(teams[0], on(day_after(now, 7), "19:30", 60))]
    assert (
        await refused(reservations.divide_among_teams(booked, outside, by=rival, now=now))
        == "outside_booking"
    )

    assert [one.team.id for one in await reservations.shared(booked, rival)] == [teams[0]]


async def test_another_associations_people__can_do_nothing(
    booked: UUID, teams: tuple[UUID, UUID], eva: Actor, log_in: LogIn, club: UUID, now: datetime
) -> None:
    sara = await log_in("sara@demo.test")
    for who in (eva, sara):  # eva leads, but the association decides
        assert await refused(reservations.give_to_team(booked, teams[0], by=who, now=now)) == "not_found"
        assert await refused(reservations.rename_team(teams[0], "X", by=who, now=now)) == "not_found"
        assert (
            await refused(reservations.add_member(teams[0], "a@b.se", True, by=who, now=now)) == "not_found"
        )
        assert await refused(reservations.create_team(club, "X", by=who, now=now)) == "may_not_act_for"
    assert await reservations.teams_of(sara, party=club) == []


async def test_a_foreign_team__gets_no_time(
    booked: UUID, rival: Actor, clerk: Actor, log_in: LogIn, now: datetime
) -> None:
    sara = await log_in("sara@demo.test")
    other = next(one for one in sara.acts_for if one != sara.party)
    foreign = await reservations.create_team(other, "P13", by=sara, now=now)

    assert await refused(reservations.give_to_team(booked, foreign, by=rival, now=now)) == "unknown_team"


async def test_a_team_that_ends__leaves_its_time_to_the_association(
    booked: UUID, teams: tuple[UUID, UUID], rival: Actor, eva: Actor, club: UUID, now: datetime
) -> None:
    await reservations.give_to_team(booked, teams[0], by=rival, now=now)
    assert len(await times_of(eva, now)) == 1

    await reservations.retire_team(teams[0], by=rival, now=now)

    assert await times_of(eva, now) == []
    assert (await reservations.page(booked, rival, now)).team is None
    assert [one.name for one in await reservations.teams_of(rival, party=club)] == ["F14"]


async def test_a_booking_that_moves__takes_its_team_along_but_not_the_stretches(
    booked: UUID, teams: tuple[UUID, UUID], rival: Actor, eva: Actor, now: datetime
) -> None:
    target = reservations.Target(on(day_after(now, 8), "18:00"))
    await reservations.give_to_team(booked, teams[0], by=rival, now=now)
    await reservations.move(booked, target, by=rival, now=now)
    assert await times_of(eva, now) == [("P13", target.span.start, target.span.end)]

    await reservations.divide_among_teams(
        booked, [Stretch(teams[0], on(day_after(now, 8), "18:00", 60))], by=rival, now=now
    )
    await reservations.move(booked, reservations.Target(on(day_after(now, 9), "18:00")), by=rival, now=now)
    assert await times_of(eva, now) == []


async def test_names_and_members__are_kept_apart(
    teams: tuple[UUID, UUID], club: UUID, rival: Actor, eva: Actor, now: datetime
) -> None:
    assert await refused(reservations.create_team(club, "P13", by=rival, now=now)) == "name_taken"
    assert await refused(reservations.rename_team(teams[1], "P13", by=rival, now=now)) == "name_taken"
    unknown = reservations.add_member(teams[0], "nobody@demo.test", False, by=rival, now=now)
    assert await refused(unknown) == "unknown_account"
    assert eva.account is not None

    await reservations.remove_member(teams[0], eva.account, by=rival, now=after(now, minutes=1))

    assert await reservations.teams_of(eva, party=None) == []
