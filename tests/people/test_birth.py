"""A person says once when they were born."""

from datetime import date, datetime

import pytest

from booking import people
from booking.errors import Rejected
from booking.people.actions import BirthStated, register, state_birth


async def test_a_date_of_birth__is_stated_once_and_kept(town: object, now: datetime) -> None:
    account = await register(
        name="Nils", email="nils@example.se", password="langt-losenord-1", home="2401", now=now
    )
    nils = await people.actor_of_account(account, now)
    assert nils is not None
    for odd in (date(1899, 12, 31), date(2026, 11, 24)):
        with pytest.raises(Rejected):
            await state_birth(odd, nils, now)
    await state_birth(date(2009, 5, 4), nils, now)
    me = await people.me(nils)
    assert me.account is not None
    assert me.account.born == date(2009, 5, 4)
    with pytest.raises(BirthStated):
        await state_birth(date(1990, 1, 1), nils, now)
