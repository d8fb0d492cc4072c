"""The server's link believes the broker's certificate by the CA file it is given, and no other."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from booking.locks.mqtt import Wire
from booking.settings import Settings, SettingsError

CONNECT = 0x10


def own_ca(folder: Path) -> tuple[Path, Path]:
    """Return the files of a certificate for 127.0.0.1 that signs itself, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    ca, secret = folder / "ca.pem", folder / "key.pem"
    ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return ca, secret


async def first_octet(ca: Path | None, files: tuple[Path, Path]) -> int | None:
    """Return what the broker hears first from our link within two seconds, None where it hears nothing."""
    heard: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = await reader.read(1)
        if said and not heard.done():
            heard.set_result(said[0])
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    wire = Wire(
        f"mqtts://server:secret@127.0.0.1:{port}",
        ca=ca,
        on_message=lambda _: None,
        on_connected=lambda _: None,
    )
    wire.start()
    try:
        async with asyncio.timeout(2):
            return await heard
    except TimeoutError:
        return None
    finally:
        await wire.stop()
        server.close()


@pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")  # paho drops a refused socket
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_the_broker_s_own_ca__is_believed_only_where_it_is_named(tmp_path: Path) -> None:
    files = own_ca(tmp_path)

    assert await first_octet(files[0], files) == CONNECT
    assert await first_octet(None, files) is None


def test_a_ca_file_that_is_not_there__stops_the_start(tmp_path: Path) -> None:
    env = {"DATABASE_URL": "postgresql://x/y", "BOOKING_SECRET_KEY": "00" * 32}
    with pytest.raises(SettingsError, match="MQTT_CA"):
        Settings.from_env({**env, "MQTT_CA": str(tmp_path / "none.pem")})
    (tmp_path / "ca.pem").write_text("x")

    assert Settings.from_env({**env, "MQTT_CA": str(tmp_path / "ca.pem")}).mqtt_ca == tmp_path / "ca.pem"
