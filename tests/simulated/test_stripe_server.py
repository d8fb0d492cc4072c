"""The simulated Stripe keeps the SDK's contract; every check is driven by the real `stripe` package over HTTP."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import stripe

from booking.simulated.stripe_server import Simulator
from tests.stripe_help import SECRET, Receiver, ask, client, press, until

BACK = "http://127.0.0.1:9/b/1"


def session_params(amount: int = 21_000) -> Any:
    return {
        "mode": "payment",
        "success_url": BACK,
        "cancel_url": BACK,
        "client_reference_id": "p1",
        "metadata": {"payment": "p1"},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "sek",
                    "unit_amount": amount,
                    "product_data": {"name": "A-hall <b>"},
                },
            }
        ],
    }


def paid(at: stripe.StripeClient, amount: int = 21_000) -> tuple[str, str]:
    """Return session and payment intent of a payment that went through."""
    session = at.v1.checkout.sessions.create(session_params(amount))
    assert session.url
    assert press(session.url, "card") == 303
    intent = at.v1.checkout.sessions.retrieve(session.id).payment_intent
    assert isinstance(intent, str)
    return session.id, intent


def test_a_session_is_paid_on_its_page__complete_with_an_intent(simulator: Simulator) -> None:
    at = client(simulator)
    session = at.v1.checkout.sessions.create(session_params())
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 21_000)

    with urllib.request.urlopen(session.url or "", timeout=5) as answer:
        page = answer.read().decode()
    assert "Simulerad betalning" in page
    assert "210,00" in page
    assert "A-hall &lt;b&gt;" in page
    press(session.url or "", "swish")

    now = at.v1.checkout.sessions.retrieve(session.id)
    assert (now.status, now.payment_status) == ("complete", "paid")
    intent = at.v1.payment_intents.retrieve(str(now.payment_intent))
    assert (intent.status, intent.amount_received) == ("succeeded", 21_000)


def test_a_declined_payment__may_be_tried_again(simulator: Simulator) -> None:
    at = client(simulator)
    session = at.v1.checkout.sessions.create(session_params())

    assert press(session.url or "", "decline") == 200
    assert at.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert press(session.url or "", "card") == 303
    assert at.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_another_accounts_session__looks_absent(simulator: Simulator) -> None:
    session = client(simulator).v1.checkout.sessions.create(session_params())

    with pytest.raises(stripe.InvalidRequestError, match="No such"):
        client(simulator, "sk_test_vannas").v1.checkout.sessions.retrieve(session.id)
    with pytest.raises(stripe.AuthenticationError):
        client(simulator, "sk_test_nobody").v1.checkout.sessions.retrieve(session.id)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sucess_url": "x"}, "unknown parameter: sucess_url"),
        ({"mode": "betala"}, "Invalid mode"),
        ({"locale": "svenska"}, "Invalid locale"),
        ({"expires_at": int(time.time()) + 600}, "between 30 minutes and 24 hours"),
        ({"line_items": [{"quantity": "två"}]}, "Invalid integer"),
        (
            {"line_items": [{"price_data": {"unit_amount": 5000}}]},
            r"line_items\[0\]\[price_data\]\[currency\]",
        ),
        ({"line_items": []}, "line_items"),
    ],
)
def test_a_request_outside_the_contract__is_refused(
    simulator: Simulator, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=said):
        client(simulator).v1.checkout.sessions.create(session_params() | change)


def test_less_than_three_kronor__is_refused(simulator: Simulator) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"at least 3\.00 kr"):
        client(simulator).v1.checkout.sessions.create(session_params(299))


def test_more_than_was_paid__is_not_refunded(simulator: Simulator) -> None:
    at = client(simulator)
    _, intent = paid(at)
    at.v1.refunds.create({"payment_intent": intent, "amount": 20_000})

    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        at.v1.refunds.create({"payment_intent": intent, "amount": 1_001})
    at.v1.refunds.create({"payment_intent": intent, "amount": 1_000})
    with pytest.raises(stripe.InvalidRequestError, match="already been refunded"):
        at.v1.refunds.create({"payment_intent": intent})


def test_the_same_key_and_body__is_replayed(simulator: Simulator) -> None:
    at = client(simulator)
    _, intent = paid(at)
    params: Any = {"payment_intent": intent, "amount": 500}

    first = at.v1.refunds.create(params, {"idempotency_key": "k1"})
    again = at.v1.refunds.create(params, {"idempotency_key": "k1"})

    assert first.id == again.id
    assert len(at.v1.refunds.list({"payment_intent": intent}).data) == 1
    with pytest.raises(stripe.IdempotencyError):
        at.v1.refunds.create(params | {"amount": 501}, {"idempotency_key": "k1"})


def test_the_answer_is_lost_after_the_deed__the_packages_retry_replays_it(simulator: Simulator) -> None:
    at = client(simulator)
    _, intent = paid(at)
    ask(simulator, "faults", match="POST /v1/refunds", fault="drop_after")

    at.v1.refunds.create({"payment_intent": intent, "amount": 500}, {"idempotency_key": "k2"})

    assert [one.amount for one in at.v1.refunds.list({"payment_intent": intent}).data] == [500]


@pytest.mark.parametrize("fault", ["drop_before", "409", "500"])
def test_a_passing_fault__is_recovered_by_retries(simulator: Simulator, fault: str) -> None:
    ask(simulator, "faults", match="POST /v1/checkout", fault=fault)

    assert client(simulator).v1.checkout.sessions.create(session_params()).status == "open"


def test_too_many_requests__are_ours_to_handle(simulator: Simulator) -> None:
    ask(simulator, "faults", match="POST /v1/checkout", fault="429")

    with pytest.raises(stripe.RateLimitError):
        client(simulator).v1.checkout.sessions.create(session_params())


def test_a_saved_500__is_replayed(simulator: Simulator) -> None:
    at = client(simulator, retries=0)
    ask(simulator, "faults", match="POST /v1/checkout", fault="500_saved")

    for _ in range(2):
        with pytest.raises(stripe.APIError):
            at.v1.checkout.sessions.create(session_params(), {"idempotency_key": "k3"})


def test_a_client_without_retries__gives_up_at_once(simulator: Simulator) -> None:
    ask(simulator, "faults", match="POST /v1/checkout", fault="drop_before")

    with pytest.raises(stripe.APIConnectionError):
        client(simulator, retries=0).v1.checkout.sessions.create(session_params())


def test_keys_are_forgotten_after_a_day__a_second_object_is_made(simulator: Simulator) -> None:
    at = client(simulator)
    first = at.v1.checkout.sessions.create(session_params(), {"idempotency_key": "k4"})
    ask(simulator, "forget_keys")

    assert at.v1.checkout.sessions.create(session_params(), {"idempotency_key": "k4"}).id != first.id


def test_an_expired_session__cannot_be_paid(simulator: Simulator) -> None:
    at = client(simulator)
    session = at.v1.checkout.sessions.create(session_params())

    assert at.v1.checkout.sessions.expire(session.id).status == "expired"
    assert press(session.url or "", "card") == 200
    assert at.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    with pytest.raises(stripe.InvalidRequestError, match="Only Checkout Sessions"):
        at.v1.checkout.sessions.expire(session.id)


def test_every_webhook__verifies_with_its_accounts_secret(simulator: Simulator, receiver: Receiver) -> None:
    at = client(simulator)
    paid(at)
    until(lambda: len(receiver.bodies) == 3)

    for body, signature in receiver.bodies:
        event = at.construct_event(body, signature, SECRET)
        assert event.livemode is False
        with pytest.raises(stripe.SignatureVerificationError):
            at.construct_event(body, signature, "whsec_wrong")
    assert receiver.types() == ["payment_intent.succeeded", "charge.succeeded", "checkout.session.completed"]
    assert len(at.v1.events.list({"types": ["checkout.session.completed"]}).data) == 1


def test_a_webhook_is_not_answered__sent_again(simulator: Simulator, receiver: Receiver) -> None:
    receiver.status = 503
    session = client(simulator).v1.checkout.sessions.create(session_params())
    client(simulator).v1.checkout.sessions.expire(session.id)
    until(lambda: len(receiver.bodies) == 1)

    receiver.status = 200

    until(lambda: len(receiver.bodies) == 2)
    assert receiver.bodies[0][0] == receiver.bodies[1][0]
    until(lambda: ask(simulator, "state")["undelivered"] == 0)


def test_ordered_webhook_faults__happen(simulator: Simulator, receiver: Receiver) -> None:
    at = client(simulator)
    ask(simulator, "webhooks", drop=1, reorder=1, duplicate=1)

    paid(at)  # succeeded is dropped, charge waits, completed comes twice and first

    until(lambda: ask(simulator, "state")["undelivered"] == 0)
    assert sorted(receiver.types()) == ["charge.succeeded", *["checkout.session.completed"] * 2]
    assert receiver.types()[0] == "checkout.session.completed"


def test_killed_and_started_again__nothing_is_lost(tmp_path: Path, receiver: Receiver) -> None:
    env = os.environ | {
        "DATABASE_URL": "postgresql:///unused",
        "BOOKING_SECRET_KEY": "00" * 32,
        "STRIPE_KEY_2480": "sk_test_umea",
        "STRIPE_WEBHOOK_SECRET_2480": SECRET,
    }
    base = receiver.url.removesuffix("/hook")
    receiver.status = 503

    def start(port: int) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "booking.simulated.stripe_server", "--port", str(port),
             "--webhook-base", base, "--state", str(tmp_path / "state")],
            env=env, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout
        return process, process.stdout.readline().split()[3]

    first, address = start(0)
    at = stripe.StripeClient("sk_test_umea", base_addresses={"api": address}, max_network_retries=3)
    _, intent = paid(at)
    made = at.v1.refunds.create({"payment_intent": intent, "amount": 500}, {"idempotency_key": "k5"})
    first.send_signal(signal.SIGKILL)
    first.communicate()

    second, address = start(int(address.rsplit(":", 1)[1]))
    receiver.bodies.clear()
    receiver.status = 200
    again = at.v1.refunds.create({"payment_intent": intent, "amount": 500}, {"idempotency_key": "k5"})
    owed = {"refund.created", "checkout.session.completed"}  # each retried with a wait of its own
    until(lambda: owed <= set(receiver.types()), 40)
    second.terminate()
    second.communicate(timeout=10)

    assert again.id == made.id
    assert second.returncode == 0
