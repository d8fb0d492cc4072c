"""What is owed leaves, once where the other side can tell, and a PIN is only ever in the message itself."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from booking import billing, db, feeds, locks, messages, reservations
from booking.messages import sending
from booking.people import Actor
from booking.places import Resource
from booking.reservations.errors import PriceChanged
from tests.messages.conftest import Post
from tests.reservations.conftest import day_after, held, on, reserved

Find = Callable[[str], Awaitable[UUID]]


async def _owe(
    account: UUID, now: datetime, template: messages.Template = "staff_alert", **rest: object
) -> None:
    async with db.transaction():
        await messages.owe(
            template, account=account, municipality="2401", data={"what": "Prov"}, now=now, **rest
        )  # type: ignore[arg-type]


async def _states() -> list[str]:
    return await db.column(str, "SELECT channel || ' ' || state FROM message ORDER BY channel, state")


async def _booked(hall: Resource, by: Actor, now: datetime) -> UUID:
    hold = await held(hall, on(day_after(now, 3), "18:00"), by, now)
    await db.run("UPDATE party SET may_be_invoiced = true WHERE id = $1", by.party)
    return await reserved(hold, "invoice", by, now)


async def test_a_booking__is_confirmed_by_mail_and_its_cancellation_too(post: Post, hall: Resource, eva: Actor, now: datetime) -> None:  # fmt: skip
    made = await _booked(hall, eva, now)
    await reservations.cancel(made, by=eva, now=now, reason="Sjuk")

    await post.pay(now)

    confirmed, cancelled = post.mail.mails
    assert confirmed["To"] == "eva@demo.test"
    assert confirmed["Subject"].startswith("Bokning B-")
    assert "torsdag 26 november kl. 18:00–20:00" in confirmed.get_content()
    assert f"https://boka.example/b/{made}" in confirmed.get_content()
    assert confirmed["Auto-Submitted"] == "auto-generated"
    assert "avbokad" in cancelled["Subject"]
    assert "Orsak: Sjuk" in cancelled.get_content()
    assert await _states() == ["email sent", "email sent"]


async def test_a_refused_booking__owes_nobody_a_message(
    post: Post, hall: Resource, eva: Actor, now: datetime
) -> None:
    hold = await held(hall, on(day_after(now, 3), "18:00"), eva, now)
    with pytest.raises(PriceChanged):
        await reservations.reserve(hold, method="invoice", expected_ore=1, by=eva, now=now, return_url="{id}")

    await post.pay(now)

    assert post.mail.mails == []


async def test_the_language_of_the_account__is_the_language_of_the_mail(post: Post, account: Find, now: datetime) -> None:  # fmt: skip
    await db.run("UPDATE account SET language = 'en' WHERE email = 'ali@demo.test'")
    await _owe(await account("ali"), now)

    await post.pay(now)

    assert post.mail.mails[0]["Subject"] == "To be dealt with: Prov"


async def test_everybody_who_acts_for_a_party__gets_it_and_nobody_else(post: Post, now: datetime) -> None:
    club = await db.value(UUID, "SELECT id FROM party WHERE name = 'Nordmalings IBK'")
    async with db.transaction():
        await messages.owe("staff_alert", party=club, municipality="2401", data={"what": "Prov"}, now=now)

    await post.pay(now)

    assert [mail["To"] for mail in post.mail.mails] == ["ali@demo.test"]


async def test_a_party_that_nobody_acts_for__is_written_to_at_its_own_address(
    post: Post, now: datetime
) -> None:
    await db.run("DELETE FROM membership")
    club = await db.value(
        UUID, "UPDATE party SET email = 'kansli@ibk.example' WHERE name = 'Nordmalings IBK' RETURNING id"
    )
    async with db.transaction():
        await messages.owe("staff_alert", party=club, municipality="2401", data={"what": "Prov"}, now=now)

    await post.pay(now)

    assert [mail["To"] for mail in post.mail.mails] == ["kansli@ibk.example"]


async def test_staff__are_those_with_the_role_there(post: Post, now: datetime) -> None:
    async with db.transaction():
        await messages.owe_staff("staff_alert", municipality="2401", data={"what": "Larm"}, now=now)
        await messages.owe_staff("staff_alert", municipality="2460", data={"what": "Larm"}, now=now)

    await post.pay(now)

    assert sorted(mail["To"] for mail in post.mail.mails) == ["admin@demo.test", "stina@demo.test"]


async def test_the_same_key__is_told_once(post: Post, account: Find, now: datetime) -> None:
    ali = await account("ali")
    for _ in range(3):
        await _owe(ali, now, key="warned")
        await post.pay(now)

    assert len(post.mail.mails) == 1


async def test_what_somebody_does_not_want__is_not_sent(post: Post, eva: Actor, now: datetime) -> None:
    assert eva.account
    await messages.choose(
        [
            messages.Choice("staff_alert", "email", wanted=False),
            messages.Choice("staff_alert", "sms", wanted=True),
        ],
        by=eva,
    )
    await _owe(eva.account, now)

    await post.pay(now)

    assert post.mail.mails == []
    assert [one["to"] for one in post.sms.history] == ["+46701234567"]


async def test_a_mail_server_that_is_away__is_tried_again_for_a_day_then_staff_can(post: Post, account: Find, clerk: Actor, now: datetime) -> None:  # fmt: skip
    await _owe(await account("ali"), now)
    post.mail.refuse.extend(["451 busy"] * (len(sending.WAITS) + 1))
    at = now
    for wait in sending.WAITS:
        await post.pay(at)
        assert await _states() == ["email owed"]
        await post.pay(at + wait / 2)  # too early: not tried
        at += wait
    await post.pay(at)
    assert await _states() == ["email dead"]
    (dead,), total, count = await messages.messages("2401", "dead", by=clerk, limit=10, offset=0)
    assert (total, count, dead.error, dead.attempts) == (1, 1, "451 busy", len(sending.WAITS) + 1)

    await messages.resend(dead.id, by=clerk, now=at)
    await post.pay(at)

    assert await _states() == ["email sent"]
    assert len(post.mail.mails) == 1


async def test_an_address_that_is_refused_for_good__is_not_tried_again(post: Post, account: Find, now: datetime) -> None:  # fmt: skip
    await _owe(await account("ali"), now)
    post.mail.refuse.append("550 no such user")

    await post.pay(now)

    assert await _states() == ["email dead"]
    assert await db.value(int, "SELECT count(*) FROM outbox WHERE kind LIKE 'message.%'") == 0


async def test_a_mail_whose_answer_was_lost__comes_again_with_the_same_id(post: Post, account: Find, now: datetime) -> None:  # fmt: skip
    await _owe(await account("ali"), now)
    post.mail.drop = 1

    await post.pay(now)
    await post.pay(now + timedelta(minutes=2))

    assert len({mail["Message-ID"] for mail in post.mail.mails}) == 1
    assert await _states() == ["email sent"]


async def test_an_sms_whose_answer_was_lost__is_not_sent_twice(post: Post, eva: Actor, now: datetime) -> None:
    """The gateway took it and the line broke: before a repetition it is asked what it has sent."""
    assert eva.account
    await _owe(eva.account, now)
    await db.run("DELETE FROM message_choice")
    await messages.choose([messages.Choice("staff_alert", "sms", wanted=True)], by=eva)
    post.sms.answers.append(0)

    await post.pay(now)
    assert "sms owed" in await _states()
    await post.pay(now + timedelta(minutes=2))

    assert len(post.sms.history) == 1
    assert "sms sent" in await _states()
    assert (
        await db.value(str, "SELECT provider_id FROM message WHERE channel = 'sms'")
        == post.sms.history[0]["id"]
    )


@pytest.mark.parametrize(("answer", "state"), [(500, "owed"), (429, "owed"), (403, "owed"), (400, "dead")])
async def test_what_the_gateway_says__decides_whether_it_is_tried_again(post: Post, eva: Actor, now: datetime, answer: int, state: str) -> None:  # fmt: skip
    assert eva.account
    await messages.choose([messages.Choice("staff_alert", "sms", wanted=True)], by=eva)
    await _owe(eva.account, now)
    post.sms.answers.append(answer)

    await post.pay(now)

    assert f"sms {state}" in await _states()


async def test_a_code__is_in_the_message_and_in_no_row(
    post: Post, hall: Resource, eva: Actor, now: datetime
) -> None:
    made = await _booked(hall, eva, now)
    pin = (await locks.access_of(made, by=eva, now=now)).pin
    assert pin
    assert eva.account
    await _owe(eva.account, now, "code_changed", about=made)

    await post.pay(now)

    assert pin in post.mail.mails[-1].get_content()
    assert pin not in post.mail.mails[-1]["Subject"]
    assert b"dontlog=message" in post.sms.taken[0].body
    assert pin.encode() in post.sms.taken[0].body
    assert "message" not in post.sms.history[0]
    for table in ("message", "outbox", "journal"):
        rows = await db.column(str, f"SELECT row_to_json(t)::text FROM {table} t")
        assert not any(f'"{pin}"' in row or f" {pin}" in row for row in rows), table


async def test_a_code_that_opens_nothing_any_more__is_not_sent(post: Post, hall: Resource, eva: Actor, now: datetime) -> None:  # fmt: skip
    made = await _booked(hall, eva, now)
    assert eva.account
    await _owe(eva.account, now, "code_ready", about=made)
    await reservations.cancel(made, by=eva, now=now)

    await post.pay(now)

    assert not any("dörrkod" in mail["Subject"].lower() for mail in post.mail.mails)
    assert await db.value(str, "SELECT state FROM message WHERE template = 'code_ready'") == "dropped"


async def test_without_a_server__the_log_names_the_mail_and_not_its_text(post: Post, account: Find, now: datetime, caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    messages.configure(replace(post.settings, smtp_url=None, sms_url=None), feeds.SOURCES)
    caplog.set_level("INFO", "booking.messages")
    await _owe(await account("ali"), now)

    await post.pay(now)

    assert "mail to ali@demo.test (not sent, none is set up): Att åtgärda: Prov" in caplog.text
    assert await _states() == ["email sent"]


async def test_an_invoice__is_told_of_with_its_amount_and_number(post: Post, hall: Resource, eva: Actor, now: datetime) -> None:  # fmt: skip
    await _booked(hall, eva, now)

    await billing.run_invoices("2401", "2026-11", by=Actor.system(), now=datetime(2026, 12, 1, 6, tzinfo=UTC))
    await post.pay(datetime(2026, 12, 1, 6, tzinfo=UTC))

    told = post.mail.mails[-1]
    assert told["Subject"].startswith("Faktura ")
    assert "Belopp: " in told.get_content()
    assert "OCR-nummer: " in told.get_content()
    assert "https://boka.example/mina" in told.get_content()
