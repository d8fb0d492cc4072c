"""Real web processes to measure, and the settings they share with whoever measures them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from booking.demo.state import free_port
from booking.settings import Settings

ROOT = Path(__file__).parents[1]
OWNER = "2401"
KEY = bytes([7]) * 32


@contextmanager
def web(address: str, folder: Path, number: int) -> Iterator[str]:
    """The address of a real `booking web` process."""
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": address,
        "BOOKING_SECRET_KEY": KEY.hex(),
        "PORT": str(port),
        "BOOKING_DEMO": "1",
        "BOOKING_KEYPADS": str(folder / "controllers"),
    }
    with (folder / f"web{number}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "booking", "web"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            _await_ready(port, folder / f"web{number}.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _await_ready(port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            raise SystemExit(f"the web process did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


def settings_of(address: str, folder: Path, pool: int) -> Settings:
    """Return the settings of a process on this database."""
    return Settings(
        database_url=address,
        secret_key=KEY,
        stripe_api_base="http://127.0.0.1:9",
        stripe_keys={OWNER: "sk_test_x"},
        stripe_webhook_secrets={OWNER: ("whsec_x",)},
        demo=True,
        keypad_dir=folder / "controllers",
        pool_size=pool,
    )
