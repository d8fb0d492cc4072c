"""A browser's part of the story: cookies, CSRF token, idempotency keys. Times in UTC."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

Answer = dict[str, Any]
T = TypeVar("T")
PATIENCE_S = 60.0


class StepFailed(Exception):
    """A step of the story didn't hold; says what was expected and what came."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One request and its answer."""

    method: str
    path: str
    body: Answer | None
    answer: httpx.Response


class Browser:
    """One person's browser. Survives a server that is restarted under it: requests that never arrived go again."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=20, trust_env=False)
        self._csrf = ""
        self.heard: list[Heard] = []  # requests and answers, for the examples of the API's document

    def close(self) -> None:
        """No connection is open any more."""
        self._http.close()

    def get(self, path: str, **query: Any) -> Answer:
        """Return the JSON answer of a GET; anything but 200 fails the step."""
        given = {name: one for name, one in query.items() if one is not None}
        return self._expect(200, "GET", path, params=given or None)  # {} would drop the path's own query

    def fetch(self, path: str) -> bytes:
        """Return the bytes of a GET."""
        return self._send("GET", path).content

    def post(self, path: str, body: Answer | None = None, *, status: int = 201) -> Answer:
        """Return the JSON answer of a POST with this status; sent again under the same key until it is answered."""
        key = str(uuid.uuid4())
        return self._expect(status, "POST", path, json=body or {}, headers={"Idempotency-Key": key})

    def change(self, method: str, path: str, body: Answer) -> Answer:
        """Return the JSON answer of a PATCH or PUT."""
        return self._expect(200, method, path, json=body)

    def refused(self, path: str, body: Answer) -> Answer:
        """Return the problem document of a POST that must be refused."""
        answer = self._send("POST", path, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
        if answer.status_code < 400:
            raise StepFailed(f"POST {path} should have been refused, got {answer.status_code}")
        return {"status": answer.status_code, **answer.json()}

    def enter(self) -> Answer:
        """Open a page: the browser has a cookie and the CSRF token that belongs to it."""
        me = self.get("/api/me")
        self._csrf = str(me["csrf"])
        return me

    def log_in(self, email: str, password: str) -> Answer:
        """Log in; holds made before stay ours."""
        self.enter()
        me = self._expect(200, "POST", "/api/session", json={"email": email, "password": password})
        self._csrf = str(me["csrf"])
        return me

    def press(self, url: str, **form: str) -> None:
        """Press a button on another server's page (the simulated checkout)."""
        with httpx.Client(timeout=20, trust_env=False) as http:
            until("the checkout page answers", lambda: _try(lambda: http.post(url, data=form)))

    def _expect(self, status: int, method: str, path: str, **request: Any) -> Answer:
        answer = self._send(method, path, **request)
        if answer.status_code != status:
            raise StepFailed(
                f"{method} {path}: expected {status}, got {answer.status_code}: {answer.text[:400]}"
            )
        found: Answer = answer.json()
        return found

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {"X-CSRF-Token": self._csrf, **request.pop("headers", {})}

        def go() -> httpx.Response | None:
            answer = _try(lambda: self._http.request(method, path, headers=headers, **request))
            return None if answer is None or answer.status_code == 503 else answer

        answer = until(f"{method} {path} is answered", go)
        self.heard.append(Heard(method, path.split("?", maxsplit=1)[0], request.get("json"), answer))
        return answer


def _try(send: Callable[[], httpx.Response]) -> httpx.Response | None:
    try:
        return send()
    except httpx.TransportError:
        return None


def until(what: str, look: Callable[[], T | None], patience_s: float = PATIENCE_S) -> T:
    """Return what `look` finds as soon as it finds something; raises StepFailed after the patience (seconds)."""
    deadline, pause = time.monotonic() + patience_s, 0.02
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > deadline:
            raise StepFailed(f"waited {patience_s:.0f} s in vain until {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)
