"""SMS by 46elks (Swedish; REST). It has no idempotency key, so before a repetition it is asked what it has sent."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import msgspec

from booking.messages.ways import Letter, TryLater, Undeliverable
from booking.settings import SettingsError

TIMEOUT_S = 15
SKEW = timedelta(minutes=2)  # between their clock and ours
_OURS = (401, 402, 403, 429)  # log-in, credit, rate: not the receiver's fault


class _Sent(msgspec.Struct, frozen=True):
    id: str
    to: str = ""
    created: str = ""
    direction: str = ""
    message: str | None = None


class _History(msgspec.Struct, frozen=True):
    data: list[_Sent] = []


class Elks:
    """elks://username:password@host?from=Kommun. `host` is api.46elks.com or where a stand-in listens."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "elks" or not (parts.hostname and parts.username and parts.password):
            raise SettingsError(
                "BOOKING_SMS_URL must look like elks://username:password@api.46elks.com?from=Kommun"
            )
        local = parts.hostname in ("127.0.0.1", "localhost")
        port = f":{parts.port}" if parts.port else ""
        self._base = f"{'http' if local else 'https'}://{parts.hostname}{port}"
        self._auth = (unquote(parts.username), unquote(parts.password))
        self._from = parse_qs(parts.query).get("from", ["Bokning"])[0]

    def __repr__(self) -> str:
        return f"Elks({self._base})"

    async def send(self, letter: Letter) -> str | None:
        """Return 46elks' id once it has taken the SMS. Raises Undeliverable, TryLater.

        A text with a PIN is not kept in their history, so a repetition after a crash can't be told apart:
        a code that comes twice harms nobody, one that never comes locks somebody out.
        """
        try:
            async with httpx.AsyncClient(auth=self._auth, base_url=self._base, timeout=TIMEOUT_S) as client:
                if letter.first_tried_at is not None and not letter.secret:
                    earlier = await self._earlier(client, letter, letter.first_tried_at)
                    if earlier is not None:
                        return earlier
                return await self._post(client, letter)
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            raise TryLater(f"{type(error).__name__}: {error}") from error

    async def _post(self, client: httpx.AsyncClient, letter: Letter) -> str:
        form = {"from": self._from, "to": letter.to, "message": letter.text.sms}
        if letter.secret:
            form["dontlog"] = "message"
        answer = await client.post("/a1/sms", data=form)
        if answer.status_code in _OURS or answer.status_code >= 500:
            raise TryLater(f"46elks {answer.status_code}: {answer.text[:100]}")
        if answer.status_code >= 400:
            raise Undeliverable(f"46elks {answer.status_code}: {answer.text[:100]}")
        return msgspec.json.decode(answer.content, type=_Sent).id

    async def _earlier(self, client: httpx.AsyncClient, letter: Letter, since: datetime) -> str | None:
        """Return the id of the same SMS if it left at an earlier attempt whose answer we never saw."""
        answer = await client.get("/a1/sms", params={"to": letter.to, "limit": "100"})
        if answer.status_code != 200:
            raise TryLater(f"46elks {answer.status_code}: {answer.text[:100]}")
        for one in msgspec.json.decode(answer.content, type=_History).data:
            same = one.direction == "outgoing" and one.to == letter.to and one.message == letter.text.sms
            if same and _instant(one.created) >= since - SKEW:
                return one.id
        return None


def _instant(text: str) -> datetime:
    """Return their time, which is UTC without saying so."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
