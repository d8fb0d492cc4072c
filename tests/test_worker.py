"""The worker's lanes: nobody who waits for a checkout page waits for a month's documents."""

from datetime import datetime

from booking import billing, db, messages, outbox, reservations, worker


def test_quick_and_slow__are_every_kind_once() -> None:
    lanes = [
        worker.QUICK,
        billing.SLOW,
        reservations.SLOW,
        *set(messages.LANES),
    ]  # a lane may have several loops
    assert sorted(worker.HANDLERS) == sorted(kind for lane in lanes for kind in lane)
    assert "stripe.checkout" in worker.QUICK


async def test_documents_by_the_hundred__are_not_in_the_lane_of_the_checkout_page(
    pool: str, now: datetime
) -> None:
    slow = next(iter(billing.SLOW))
    async with db.transaction():
        for _ in range(100):
            await outbox.put(slow, now=now)

    await worker.LANES[0](now)  # would take minutes, and fail, if it tried the documents

    assert await db.value(int, "SELECT count(*) FROM outbox WHERE attempts = 0") == 100
