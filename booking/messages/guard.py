"""Where a webhook may go: to the public internet over TLS, never to what only we can reach (SSRF)."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from booking.errors import Rejected

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotPublic(Exception):
    """The name leads to an address that is not on the public internet, or to none."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address: we connect to `ip` and to no other, whatever the name says a moment later."""

    url: str  # with the address in place of the name
    host: str  # what the certificate and the Host header must say
    netloc: str


def check_url(url: str, *, local: bool) -> None:
    """Raise Rejected (`url_not_https`, `url_not_public`) for an address that no webhook may have."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Rejected("this is no address", code="url_not_https") from error
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise Rejected("webhooks go over https", code="url_not_https")
    if not host or parts.username is not None or parts.password is not None or parts.fragment or port == 0:
        raise Rejected("the address needs a host, and no log-in or fragment", code="url_not_https")
    if local:
        return
    literal = _literal(host)
    if (literal is not None and not is_public(literal)) or (literal is None and "." not in host.strip(".")):
        raise Rejected("the address must be on the public internet", code="url_not_public")


def is_public(address: Address) -> bool:
    """True for an address of the public internet, also inside a mapped, translated or tunnelled one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


async def resolve(url: str, *, local: bool) -> Target:
    """Return where to connect. Every address behind the name must be public. Raises NotPublic."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotPublic(f"{host} has no address") from error
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if not local and not all(map(is_public, addresses)):
        raise NotPublic(f"{host} is not on the public internet")
    first = addresses[0]
    shown = f"[{first}]" if first.version == 6 else str(first)
    netloc = shown if port is None else f"{shown}:{port}"
    return Target(parts._replace(netloc=netloc).geturl(), host, parts.netloc)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
