"""What the demo runs, with which command and environment, and in which order it stops."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

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

    def broker(self) -> tuple[Program | None, str]:
        """Return the broker to run and a sentence about it; none where MQTT_URL names one."""
        if os.environ.get("MQTT_URL"):
            return None, "the broker of MQTT_URL"
        return None, "none yet"

    def stripe(self, environment: dict[str, str]) -> Program:
        """A local server that speaks Stripe's API; no money moves."""
        command = ["-m", "booking.simulated.stripe_server", "--port", str(self.stripe_port)]
        command += ["--state", str(self.state / "stripe")]
        return Program("stripe", [sys.executable, *command], environment, OUTSIDE)

    def web(self, environment: dict[str, str]) -> Program:
        """The API and the pages."""
        return Program("web", [sys.executable, "-m", "booking", "web"], environment, WEB)

    def worker(self, environment: dict[str, str]) -> Program:
        """Outbox, MQTT connection and what is due."""
        return Program("worker", [sys.executable, "-m", "booking", "worker"], environment, WORKER)

    def controllers(self, environment: dict[str, str]) -> list[Program]:
        """One program per facility's door controller: the real one, with simulated hardware."""
        folders = sorted(path for path in self.controller_states.glob("*") if path.is_dir())
        command = [sys.executable, "-m", "booking", "controller", "--simulated", "--state"]
        needed = ("PATH", "LANG", "HOME")  # a controller is no place for the product's secrets
        bare: dict[str, str] = {name: environment[name] for name in needed if name in environment}
        return [Program(f"door-{folder.name}", [*command, str(folder)], bare, DOORS) for folder in folders]


def environment_of(port: int, database_url: str, parts: Parts) -> dict[str, str]:
    """Return what web, worker and operator commands are told; what the caller has set himself wins."""
    kept = parts.kept
    ours = {
        "BOOKING_SECRET_KEY": kept["secret_key"],
        "BOOKING_DEMO": "1",
        "BOOKING_KEYPADS": str(parts.controller_states),
        "PUBLIC_URL": f"http://localhost:{port}",
        "STRIPE_API_BASE": f"http://127.0.0.1:{parts.stripe_port}",
    }
    ours |= {f"STRIPE_KEY_{code}": kept[f"stripe_key_{code}"] for code in MUNICIPALITIES}
    ours |= {f"STRIPE_WEBHOOK_SECRET_{code}": kept[f"stripe_hook_{code}"] for code in MUNICIPALITIES}
    fixed = {"DATABASE_URL": database_url, "HOST": "127.0.0.1", "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    return ours | dict(os.environ) | fixed
