"""`booking demo`: start every part in order, watch it, stop it in the opposite order.

The parts are the ordinary programs, told by their environment alone that the server, the broker and Stripe are
here on this machine. What this supervisor adds is order, progress, restarts and a clean end.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

from booking import broker, postgres
from booking.demo import state as states
from booking.demo.children import Children, ChildTrouble, Program, begin, end, last_line, see_to_end
from booking.demo.parts import Parts, complete, environment_of
from booking.demo.progress import console, say, step

ROOT = Path(__file__).resolve().parents[2]
WEB_SECONDS = 60.0
BROKEN, REFUSED = 1, 2  # exit statuses: a part failed; we may not start at all


class _Stopping(Exception):
    """Somebody asked us to end while we were starting."""


class _Failed(Exception):
    """A step failed; the message says which and shows the end of its log."""


def demo(port: int = 8000, *, fresh: bool = False, state: Path | None = None) -> int:
    """Run the whole product until Ctrl-C or SIGTERM; return the exit status. Data in `state` survives."""
    state = (state or states.default()).resolve()
    try:
        with states.claimed(state):
            return _Supervisor(state, port).run(fresh)
    except states.AlreadyRunning as error:
        say(
            f"the demo of {state} is already running at {error}; stop it there, or use --state for a second one"
        )
        return REFUSED
    except OSError as error:
        say(f"{state} can't be used: {error.strerror} ({error.filename})")
        return REFUSED


class _Supervisor:
    """One run of the demo."""

    def __init__(self, state: Path, port: int) -> None:
        self.state, self.port = state, port
        self.begun = time.monotonic()
        self.stop_asked = threading.Event()
        self.children = Children(state, say)
        self.builder: subprocess.Popen[bytes] | None = None
        self.facts: dict[str, object] = {}
        self.server: postgres.Server | None = None

    def run(self, fresh: bool) -> int:
        for ask in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ask, self._on_signal)
        left = self.children.end_leftovers()
        if left:
            say(f"ended {left} processes that a killed start had left behind")
        if not states.is_free(self.port):
            say(f"port {self.port} is taken by another program; choose one: ./run --port {self.port + 10}")
            return REFUSED
        try:
            if fresh:
                with step("start over"):
                    states.wipe(self.state)
                    self.children = Children(self.state, say)
            self._start()
            self._watch()
        except _Stopping:
            pass
        except (_Failed, ChildTrouble, postgres.PostgresTrouble, broker.BrokerMissing) as error:
            say(f"\n{error}\n\nthe demo has stopped; after mending the cause, the same command goes on")
            return BROKEN
        finally:
            self._stop()
        return 0

    # --- start ---

    def _start(self) -> None:
        self._begin_web_ui()
        database, owner = self._database()
        kept = states.kept(self.state)
        parts = Parts(self.state, kept)
        environment = environment_of(self.port, database, self._broker(parts), parts)
        as_owner = environment | {"DATABASE_URL": owner}
        self._to_end("schema", "migrate", as_owner)
        self._to_end("demo data", "seed", environment)
        self._web_ui()
        self._serve(parts.stripe(environment), parts.stripe_port, "simulated Stripe", "no money moves")
        with step("web") as note:
            self._spawn(parts.web(environment))
            self.children.await_ready("web", self._web_is_ready, WEB_SECONDS, self.stop_asked.is_set)
            note(self.url)
        with step("worker"):
            self._spawn(parts.worker(environment))
        with step("doors") as note:
            controllers = parts.controllers(environment)
            for controller in controllers:
                self._spawn(controller)
            note(f"{len(controllers)} simulated door controllers")
        self.facts = {
            "url": self.url,
            "owner_url": owner,
            "environment": environment,
            "state": str(self.state),
        }
        self._publish()
        self._welcome()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def _database(self) -> tuple[str, str]:
        """Return the addresses for the product and for migrations; a DATABASE_URL given to us serves for both."""
        with step("PostgreSQL") as note:
            given = os.environ.get("DATABASE_URL")
            if given:
                note("the server of DATABASE_URL")
                return given, given
            self.server = server = postgres.start(self.state, say=note)
            note(f"{server.version}, our own, 127.0.0.1:{server.port}, data in {server.home}")
        self._safe_point()
        return server.url(postgres.APP), server.url(postgres.OWNER)

    def _broker(self, parts: Parts) -> str:
        """Return the broker's address with the server's credentials; a MQTT_URL given to us wins."""
        given = os.environ.get("MQTT_URL")
        if given:
            with step("MQTT broker") as note:
                note("the one of MQTT_URL")
            return given
        ours = broker.prepare(self.state / "broker", parts.mqtt_port)
        self._serve(parts.broker_program(ours), parts.mqtt_port, "MQTT broker", ours.sentence)
        return ours.server_url

    def _to_end(self, title: str, command: str, environment: dict[str, str]) -> None:
        log = self.state / "log" / f"{command}.log"
        with step(title) as note:
            program = [sys.executable, "-m", "booking", command]
            begun = begin(program, complete(environment), log)
            status = see_to_end(begun, log, self.stop_asked.is_set, note)
            self._safe_point()
            if status != 0:
                raise _Failed(
                    f"`booking {command}` ended with status {status}:\n{self.children.tail(command)}"
                )
            note(last_line(log))

    def _begin_web_ui(self) -> None:
        """Build the pages, if stale, while the database starts and fills; an installed wheel brings them along."""
        if (ROOT / "frontend").exists():
            command = [sys.executable, str(ROOT / "booking" / "web" / "build.py")]
            self.builder = begin(command, complete({}), self._builder_log)

    @property
    def _builder_log(self) -> Path:
        return self.state / "log" / "web-ui.log"

    def _web_ui(self) -> None:
        """The pages are built; without Node or npm the product still serves its API and says so."""
        if self.builder is None:
            return
        with step("web UI") as note:
            log = self._builder_log
            status = see_to_end(self.builder, log, self.stop_asked.is_set, note)
            self._safe_point()
            note(last_line(log) if status == 0 else f"not built, see {log}; the API runs without pages")

    def _serve(self, program: Program, port: int, title: str, sentence: str) -> None:
        with step(title) as note:
            self._spawn(program)
            self.children.await_ready(program.name, lambda: states.answers(port), 20, self.stop_asked.is_set)
            note(sentence)

    def _spawn(self, program: Program) -> None:
        self._safe_point()
        self.children.start(program)

    def _web_is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=2) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    def _publish(self) -> None:
        states.publish(self.state, self.facts | {"pids": self.children.pids() | {"supervisor": os.getpid()}})

    def _welcome(self) -> None:
        seconds = time.monotonic() - self.begun
        say(
            f"\nReady after {seconds:.0f} s: {self.url}     Ctrl-C stops everything; data stays in {self.state}"
        )
        for login in self._logins():
            say(f"  {login['email']:<34} {login['password']:<18} {login['what']}")

    def _logins(self) -> list[dict[str, str]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/demo/logins", timeout=5) as reply:
                return list(json.load(reply)["logins"])
        except (OSError, ValueError, KeyError):
            return []

    # --- run, stop ---

    def _watch(self) -> None:
        while not self.stop_asked.wait(0.2):
            if self.children.tend():
                self._publish()
            if self.server is not None and not self.server.is_up():
                say("PostgreSQL ended; starts again")
                self.server = postgres.start(self.state, say=say)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.stop_asked.is_set():
            say("already stopping, a few seconds more")
        self.stop_asked.set()

    def _safe_point(self) -> None:
        if self.stop_asked.is_set():
            raise _Stopping

    def _stop(self) -> None:
        console.print()
        with step("stop") as note:
            if self.builder is not None:
                end([self.builder])
            self.children.stop()
            if self.server is not None:
                self.server.stop()
            (self.state / "demo.json").unlink(missing_ok=True)
            note("everything has ended")
