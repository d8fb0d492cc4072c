"""Settings from the environment. The only reader of it."""

import os
from dataclasses import dataclass, field
from pathlib import Path


class SettingsError(Exception):
    """The environment lacks something, said in one sentence with what to set."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All configuration of one process. Frozen; secrets don't show in repr."""

    database_url: str = field(repr=False)
    secret_key: bytes = field(repr=False)  # 32 bytes; seals PINs, controller keys and snapshots at rest
    mqtt_url: str | None = field(repr=False, default=None)  # mqtt://user:password@host:port
    public_url: str = "http://localhost:8000"
    host: str = "127.0.0.1"
    port: int = 8000
    stripe_api_base: str | None = None  # None = Stripe itself
    stripe_keys: dict[str, str] = field(repr=False, default_factory=dict)  # municipality code → API key
    stripe_webhook_secrets: dict[str, tuple[str, ...]] = field(repr=False, default_factory=dict)
    demo: bool = False
    keypad_dir: Path | None = None  # simulated keypads of the demo's controllers
    trusted_proxies: frozenset[str] = frozenset()
    pool_size: int = 8
    map_tile_url: str | None = None
    map_attribution: str | None = None
    smtp_url: str | None = field(repr=False, default=None)  # None = mails are only named in the log
    mail_from: str | None = None
    sms_url: str | None = field(repr=False, default=None)  # None = the same for SMS
    local_webhooks: bool = False  # webhooks may go to this machine and over http: tests and demo only
    mqtt_ca: Path | None = None  # whose certificates the broker may show; None = the system's list
    mqtt_accounts: str | None = None  # `dynsec`, or our own broker's state directory; None = by hand

    @property
    def secure_cookies(self) -> bool:
        """Cookies carry Secure wherever the product is reached over TLS."""
        return self.public_url.startswith("https://")

    @classmethod
    def from_env(cls, env: dict[str, str] | None = None) -> "Settings":
        """Return the settings of this process. Raises SettingsError naming the variable that is missing."""
        env = dict(os.environ) if env is None else env
        return cls(
            database_url=_required(env, "DATABASE_URL", "postgresql://user:password@host/booking"),
            secret_key=_key(_required(env, "BOOKING_SECRET_KEY", "64 hex digits, e.g. openssl rand -hex 32")),
            mqtt_url=env.get("MQTT_URL"),
            public_url=env.get("PUBLIC_URL", "http://localhost:8000").rstrip("/"),
            host=env.get("HOST", "127.0.0.1"),
            port=int(env.get("PORT", "8000")),
            stripe_api_base=env.get("STRIPE_API_BASE"),
            stripe_keys=_by_suffix(env, "STRIPE_KEY_"),
            stripe_webhook_secrets={
                code: tuple(part for part in value.split(",") if part)
                for code, value in _by_suffix(env, "STRIPE_WEBHOOK_SECRET_").items()
            },
            demo=env.get("BOOKING_DEMO") == "1",
            keypad_dir=Path(env["BOOKING_KEYPADS"]) if env.get("BOOKING_KEYPADS") else None,
            trusted_proxies=frozenset(filter(None, env.get("TRUSTED_PROXIES", "").split(","))),
            pool_size=int(env.get("DATABASE_POOL", "8")),
            map_tile_url=env.get("MAP_TILE_URL"),
            map_attribution=env.get("MAP_ATTRIBUTION"),
            smtp_url=_address(env, "BOOKING_SMTP_URL", "smtp://user:password@host:587"),
            mail_from=env.get("BOOKING_MAIL_FROM") or None,
            sms_url=_address(env, "BOOKING_SMS_URL", "elks://user:password@api.46elks.com?from=Kommunen"),
            local_webhooks=env.get("BOOKING_LOCAL_WEBHOOKS") == "1",
            mqtt_ca=_file(env, "MQTT_CA"),
            mqtt_accounts=env.get("MQTT_ACCOUNTS"),
        )


def _required(env: dict[str, str], name: str, example: str) -> str:
    value = env.get(name)
    if not value:
        raise SettingsError(f"{name} is not set (for example {example})")
    return value


def _address(env: dict[str, str], name: str, example: str) -> str | None:
    """Return the address, or None where there is none. Its scheme is the example's, or that with an s."""
    value = env.get(name) or None
    scheme = example.partition("://")[0]
    if value is not None and value.partition("://")[0] not in (scheme, f"{scheme}s"):
        raise SettingsError(f"{name} must look like {example}")
    return value


def _file(env: dict[str, str], name: str) -> Path | None:
    value = env.get(name)
    if value and not os.access(value, os.R_OK):
        raise SettingsError(f"{name} names no file that can be read: {value}")
    return Path(value) if value else None


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise SettingsError("BOOKING_SECRET_KEY must be hex digits") from error
    if len(key) != 32:
        raise SettingsError("BOOKING_SECRET_KEY must be 64 hex digits (32 bytes)")
    return key


def _by_suffix(env: dict[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in env.items() if name.startswith(prefix)}
