"""The request contract of Stripe's API, derived at run time from the `stripe` package's own TypedDicts.

Stricter than Stripe in one way, on purpose: enums that the package leaves open (a Literal or any str) are
treated as closed, so that a misspelt value is found here and not in production.
"""

import re
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import typing_extensions
from stripe._request_options import RequestOptions
from stripe.params import (
    EventListParams,
    PaymentIntentListParams,
    PaymentIntentRetrieveParams,
    RefundCreateParams,
    RefundListParams,
    RefundRetrieveParams,
)
from stripe.params.checkout import (
    SessionCreateParams,
    SessionExpireParams,
    SessionListParams,
    SessionRetrieveParams,
)

Tree = dict[str, "Tree | str"]

CONTRACTS: dict[str, type] = {
    "POST /v1/checkout/sessions": SessionCreateParams,
    "GET /v1/checkout/sessions": SessionListParams,
    "GET /v1/checkout/sessions/{id}": SessionRetrieveParams,
    "POST /v1/checkout/sessions/{id}/expire": SessionExpireParams,
    "GET /v1/payment_intents": PaymentIntentListParams,
    "GET /v1/payment_intents/{id}": PaymentIntentRetrieveParams,
    "POST /v1/refunds": RefundCreateParams,
    "GET /v1/refunds": RefundListParams,
    "GET /v1/refunds/{id}": RefundRetrieveParams,
    "GET /v1/events": EventListParams,
}
_NOT_REQUIRED = {NotRequired, typing_extensions.NotRequired}
_REQUIRED = {Required, typing_extensions.Required}
_LITERALS = {Literal, typing_extensions.Literal}
_OPTIONS = frozenset(RequestOptions.__annotations__)


class BadParameter(Exception):
    """The request breaks the contract; `param` names where, as Stripe would."""

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.param = param


def parse(form: str) -> Tree:
    """Turn `a[b][0]=c` into nested maps, keeping every value a string."""
    tree: Tree = {}
    for key, value in parse_qsl(form, keep_blank_values=True):
        names = re.findall(r"[^\[\]]+", key)
        node = tree
        for name in names[:-1]:
            below = node.setdefault(name, {})
            if isinstance(below, str):
                raise BadParameter(f"Invalid parameter: {key}", key)
            node = below
        node[names[-1]] = value
    return tree


def check(operation: str, tree: Tree) -> dict[str, Any]:
    """Return the parameters with their real types. Raises BadParameter."""
    return _mapping(CONTRACTS[operation], tree, "")


@cache
def _fields(contract: type) -> dict[str, tuple[Any, bool]]:
    """Return each field's type and whether it must be present; call options are not parameters."""
    found = {}
    known = {"StripeContext": object, "Mapping": Mapping}  # named in the call options only
    for name, hint in get_type_hints(contract, localns=known, include_extras=True).items():
        if name in _OPTIONS:
            continue
        origin = get_origin(hint)
        optional = origin in _NOT_REQUIRED
        found[name] = (get_args(hint)[0] if optional or origin in _REQUIRED else hint, not optional)
    return found


def _mapping(contract: type, value: Tree | str, path: str) -> dict[str, Any]:
    if isinstance(value, str):
        raise BadParameter(f"Invalid object: {path}", path)
    fields = _fields(contract)
    for name in value:
        if name not in fields:
            raise BadParameter(f"Received unknown parameter: {_join(path, name)}", _join(path, name))
    for name, (_, needed) in fields.items():
        if needed and name not in value:
            raise BadParameter(f"Missing required param: {_join(path, name)}.", _join(path, name))
    return {name: _convert(fields[name][0], below, _join(path, name)) for name, below in value.items()}


def _convert(hint: Any, value: Tree | str, path: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _one_of(get_args(hint), value, path)
    if origin in _LITERALS:
        if value in get_args(hint):
            return value
        raise BadParameter(f"Invalid {path}: must be one of {', '.join(get_args(hint))}", path)
    if origin is list:
        return _list(get_args(hint)[0], value, path)
    if origin is dict:
        if isinstance(value, str):
            raise BadParameter(f"Invalid object: {path}", path)
        return {name: _convert(get_args(hint)[1], below, _join(path, name)) for name, below in value.items()}
    if typing_extensions.is_typeddict(hint):
        return _mapping(hint, value, path)
    return _scalar(hint, value, path)


def _one_of(hints: tuple[Any, ...], value: Tree | str, path: str) -> Any:
    closed = any(get_origin(hint) in _LITERALS for hint in hints)
    last = BadParameter(f"Invalid {path}", path)
    for hint in hints:
        if (closed and hint is str) or get_origin(hint) not in {None, *_LITERALS, list, dict}:
            continue
        try:
            return _convert(hint, value, path)
        except BadParameter as error:
            last = error
    raise last


def _list(hint: Any, value: Tree | str, path: str) -> list[Any]:
    if isinstance(value, str) or not all(name.isdigit() for name in value):
        raise BadParameter(f"Invalid array: {path}", path)
    return [_convert(hint, value[name], f"{path}[{name}]") for name in sorted(value, key=int)]


def _scalar(hint: Any, value: Tree | str, path: str) -> Any:
    if not isinstance(value, str):
        raise BadParameter(f"Invalid string: {path}", path)
    if hint is int:
        if not re.fullmatch(r"-?\d{1,15}", value):
            raise BadParameter(f"Invalid integer: {value}", path)
        return int(value)
    if hint is bool:
        if value not in ("true", "false"):
            raise BadParameter(f"Invalid boolean: {value}", path)
        return value == "true"
    return value


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name
