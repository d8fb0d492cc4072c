"""Signatures against the specification's own vector and its own library."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from booking.clock import utc_now
from booking.messages import signing

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the vector of the specification's libraries
KEY, ENDPOINT = bytes(range(32)), UUID("019ab000-0000-7000-8000-000000000001")


def test_the_reference_vector__is_signed_as_the_specification_says() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)

    signature = signing.sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets__both_verify_and_a_third_does_not() -> None:
    old, new, other = (signing.secret_of(KEY, ENDPOINT, number) for number in (1, 2, 3))
    body = json.dumps({"type": "reservation.confirmed", "data": {"title": "Åäö 🏑"}})

    headers = signing.headers([new, old], "msg_1", utc_now(), body)

    assert headers["webhook-signature"].count("v1,") == 2
    assert Webhook(new).verify(body, headers) == Webhook(old).verify(body, headers) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(body + " ", headers)


def test_a_secret__is_the_same_every_time_and_another_for_each_endpoint_and_key() -> None:
    secret = signing.secret_of(KEY, ENDPOINT, 1)

    assert secret == signing.secret_of(KEY, ENDPOINT, 1)
    assert secret not in (signing.secret_of(bytes(32), ENDPOINT, 1), signing.secret_of(KEY, UUID(int=1), 1))
