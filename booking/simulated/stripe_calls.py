"""One call to the simulated Stripe: idempotency, contract, then the deed."""

import json
import re
from collections.abc import Callable

from booking.simulated import stripe_contract
from booking.simulated.stripe_api import Refused, Stripe, public
from booking.simulated.stripe_store import Thing

Answer = tuple[int, Thing]
ROUTES = {
    "/v1/checkout/sessions": "/v1/checkout/sessions",
    r"/v1/checkout/sessions/([^/]+)": "/v1/checkout/sessions/{id}",
    r"/v1/checkout/sessions/([^/]+)/expire": "/v1/checkout/sessions/{id}/expire",
    "/v1/payment_intents": "/v1/payment_intents",
    r"/v1/payment_intents/([^/]+)": "/v1/payment_intents/{id}",
    "/v1/refunds": "/v1/refunds",
    r"/v1/refunds/([^/]+)": "/v1/refunds/{id}",
    "/v1/events": "/v1/events",
}


def answer_once(
    stripe: Stripe,
    account: str,
    method: str,
    path: str,
    form: str,
    key: str | None,
    *,
    saved_500: bool = False,
) -> Answer:
    """Do the request unless its idempotency key was answered before; then replay, or refuse another body."""
    fingerprint = f"{method} {path} {form}"
    with stripe.store.change():
        earlier = stripe.store.answered(account, key) if key and method == "POST" else None
        if earlier is not None:
            if earlier[0] != fingerprint:
                return 400, problem(
                    "idempotency_error",
                    "Keys for idempotent requests can only be used with the same parameters they were first used with.",
                )
            return earlier[1], json.loads(earlier[2])
        if saved_500:
            status, answer = 500, problem("api_error", "simulated fault, saved under the key")
        else:
            try:
                status, answer = 200, public(_do(stripe, account, method, path, form))
            except Refused as refused:
                return refused.status, problem(
                    "invalid_request_error", str(refused), code=refused.code, param=refused.param
                )
            except stripe_contract.BadParameter as wrong:
                return 400, problem(
                    "invalid_request_error", str(wrong), code="parameter_unknown", param=wrong.param
                )
        if key and method == "POST":
            stripe.store.remember(account, key, fingerprint, status, json.dumps(answer))
        return status, answer


def _do(stripe: Stripe, account: str, method: str, path: str, form: str) -> Thing:
    route, ids = next(
        ((name, m.groups()) for p, name in ROUTES.items() if (m := re.fullmatch(p, path))), ("", ())
    )
    operation = f"{method} {route}"
    if operation not in stripe_contract.CONTRACTS:
        raise Refused(
            404,
            f"Unrecognized request URL ({method}: {path}); the simulation knows {', '.join(stripe_contract.CONTRACTS)}",
        )
    given = stripe_contract.check(operation, stripe_contract.parse(form))
    wanted = ids[0] if ids else ""
    todo: dict[str, Callable[[], Thing]] = {
        "POST /v1/checkout/sessions": lambda: stripe.create_session(account, given),
        "GET /v1/checkout/sessions": lambda: stripe.listing(account, "checkout.session", path, given, _matches(given, "payment_intent", "status")),
        "GET /v1/checkout/sessions/{id}": lambda: stripe.session(account, wanted),
        "POST /v1/checkout/sessions/{id}/expire": lambda: stripe.expire_session(account, wanted),
        "GET /v1/payment_intents": lambda: stripe.listing(account, "payment_intent", path, given, _matches(given)),
        "GET /v1/payment_intents/{id}": lambda: stripe.find(account, "payment_intent", wanted),
        "POST /v1/refunds": lambda: stripe.refund(account, given),
        "GET /v1/refunds": lambda: stripe.listing(account, "refund", path, given, _matches(given, "payment_intent", "charge")),
        "GET /v1/refunds/{id}": lambda: stripe.find(account, "refund", wanted),
        "GET /v1/events": lambda: stripe.listing(account, "event", path, given, _matches(given, "type")),
    }  # fmt: skip
    return todo[operation]()


def _matches(given: Thing, *names: str) -> Callable[[Thing], bool]:
    def keep(thing: Thing) -> bool:
        wanted = given.get("types")
        return (not wanted or thing["type"] in wanted) and all(
            given.get(name) is None or thing.get(name) == given[name] for name in names
        )

    return keep


def problem(kind: str, message: str, *, code: str | None = None, param: str | None = None) -> Thing:
    """Return an error as Stripe words it."""
    return {"error": {"type": kind, "message": message, "code": code, "param": param}}
