"""What the demo runs, with which command and environment, and in which order it stops."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from booking import broker
from booking.demo.children import Program
from booking.demo.state import MUNICIPALITIES

# Higher stages stop first: nobody asks any more, then nothing is sent, then the outside goes away.
WEB, WORKER, DOORS, OUTSIDE = 4, 3, 2, 1


@dataclass(frozen=True, slots=True)
class Parts:
    """The programs of one demo."""

    state: Path
    kept: dict[str, str]

    @property
    def mqtt_port(self) -> int:
        """Where the broker listens, on loopback."""
        return int(self.kept["mqtt_port"])

    @property
    def stripe_port(self) -> int:
        """Where the simulated Stripe listens, on loopback."""
        return int(self.kept["stripe_port"])

    @property
    def controller_states(self) -> Path:
        """One directory per simulated door controller, made by `booking seed`."""
        return self.state / "controllers"

    def broker_program(self, ours: broker.Broker) -> Program:
        """The MQTT broker of this machine."""
        return Program("broker", ours.argv, complete(dict(ours.env)), OUTSIDE)

    def stripe(self, environment: dict[str, str]) -> Program:
        """A local server that speaks Stripe's API; no money moves."""
        memory = self.state / "stripe" / "simulated.sqlite"
        memory.parent.mkdir(exist_ok=True)
        options = ["--port", str(self.stripe_port), "--state", str(memory)]
        command = _python("-m", "booking.simulated.stripe_server", *options)
        return Program("stripe", command, complete(environment), OUTSIDE)

    def web(self, environment: dict[str, str]) -> Program:
        """The API and the pages."""
        return Program("web", _python("-m", "booking", "web"), complete(environment), WEB)

    def worker(self, environment: dict[str, str]) -> Program:
        """Outbox, MQTT connection and what is due."""
        return Program("worker", _python("-m", "booking", "worker"), complete(environment), WORKER)

    def controllers(self, environment: dict[str, str]) -> list[Program]:
        """One program per facility's door controller: the real one, with simulated hardware."""
        folders = sorted(path for path in self.controller_states.glob("*") if path.is_dir())
        options = ["--simulated", "--broker", without_credentials(environment["MQTT_URL"]), "--state"]
        command = _python("-m", "booking.controller", *options)
        needed = ("PATH", "LANG", "HOME")  # a controller is no place for the product's secrets
        bare = {name: value for name, value in os.environ.items() if name in needed}
        return [Program(f"door-{folder.name}", [*command, str(folder)], bare, DOORS) for folder in folders]


def _python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def without_credentials(mqtt_url: str) -> str:
    """Return the address alone: a controller brings its own name and password."""
    scheme, _, rest = mqtt_url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def environment_of(port: int, database_url: str, mqtt_url: str, parts: Parts) -> dict[str, str]:
    """Return what tells an ordinary program of ours that it belongs to this demo; what the caller has set wins."""
    kept = parts.kept
    ours = {
        "BOOKING_SECRET_KEY": kept["secret_key"],
        "PUBLIC_URL": f"http://localhost:{port}",
        "STRIPE_API_BASE": f"http://127.0.0.1:{parts.stripe_port}",
    }
    if "MQTT_URL" not in os.environ:  # otherwise the broker is somebody else's, and so are its accounts
        ours["MQTT_ACCOUNTS"] = str(parts.controller_states.parent / "broker")
    ours |= {f"STRIPE_KEY_{code}": kept[f"stripe_key_{code}"] for code in MUNICIPALITIES}
    ours |= {f"STRIPE_WEBHOOK_SECRET_{code}": kept[f"stripe_hook_{code}"] for code in MUNICIPALITIES}
    return {name: os.environ.get(name, value) for name, value in ours.items()} | {
        "BOOKING_DEMO": "1",
        "BOOKING_KEYPADS": str(parts.controller_states),
        "DATABASE_URL": database_url,
        "HOST": "127.0.0.1",
        "MQTT_URL": mqtt_url,
        "PORT": str(port),
    }


def complete(environment: dict[str, str]) -> dict[str, str]:
    """Add the rest of our own environment, for a child process."""
    return dict(os.environ) | {"PYTHONUNBUFFERED": "1"} | environment
