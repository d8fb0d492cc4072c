"""One attempt to post a webhook: to the address that was checked, without redirects, and never for long."""

import asyncio
import ssl
from dataclasses import dataclass
from functools import cache

import httpx

from booking.messages.guard import NotPublic, resolve

TIMEOUT_S = 20  # the specification recommends 15 to 30
USER_AGENT = "booking-webhooks/1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, or why none came."""

    status: int | None
    error: str | None = None
    retry_after_s: int = 0

    @property
    def is_taken(self) -> bool:
        """True for 2xx; a redirect is a failure."""
        return self.status is not None and 200 <= self.status < 300


async def post(url: str, body: str, headers: dict[str, str], *, local: bool) -> Answer:
    """Return what the endpoint answered. The answer's body is not read: it is none of our business."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            target = await resolve(url, local=local)
            return await _post(target.url, target.host, target.netloc, body, headers)
    except NotPublic as error:
        return Answer(None, str(error))
    except TimeoutError:
        return Answer(None, f"no answer within {TIMEOUT_S} seconds")
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
        return Answer(None, f"{type(error).__name__}: {error}")


async def _post(url: str, host: str, netloc: str, body: str, headers: dict[str, str]) -> Answer:
    """The name goes into Host and into the check of the certificate; the connection goes to the address."""
    sent = {"content-type": "application/json", "user-agent": USER_AGENT, "host": netloc, **headers}
    # No proxy from the environment: it would resolve the name again, past our check.
    async with (
        httpx.AsyncClient(verify=_tls(), trust_env=False, timeout=TIMEOUT_S) as client,
        client.stream(
            "POST", url, content=body.encode(), headers=sent, extensions={"sni_hostname": host}
        ) as answer,
    ):
        error = None if answer.is_success else f"HTTP {answer.status_code}"
        return Answer(answer.status_code, error, _seconds(answer.headers.get("retry-after", "")))


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _seconds(text: str) -> int:
    """Return a Retry-After in seconds, a day at most; dates are left to our own schedule."""
    return min(int(text), 86_400) if text.isascii() and text.isdigit() and len(text) < 8 else 0
