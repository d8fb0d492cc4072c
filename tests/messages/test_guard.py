"""No webhook goes to what only we can reach."""

import datetime as dt
import ipaddress
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from booking.errors import Rejected
from booking.messages import guard, posting
from booking.messages.guard import NotPublic


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.org/hook", "url_not_https"),
        ("ftp://example.org/hook", "url_not_https"),
        ("https://user:pw@example.org/", "url_not_https"),
        ("https:///hook", "url_not_https"),
        ("https://example.org:99999/", "url_not_https"),
        ("https://[::1", "url_not_https"),
        ("https://example.org/#x", "url_not_https"),
        ("https://localhost/hook", "url_not_public"),
        ("https://127.0.0.1/", "url_not_public"),
        ("https://10.1.2.3/", "url_not_public"),
        ("https://169.254.169.254/latest/meta-data", "url_not_public"),
        ("https://[::1]/", "url_not_public"),
        ("https://[fd00::1]/", "url_not_public"),
        ("https://[::ffff:10.0.0.1]/", "url_not_public"),
        ("https://0.0.0.0/", "url_not_public"),
    ],
)
def test_an_address_no_webhook_may_have__is_refused(url: str, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        guard.check_url(url, local=False)

    assert refused.value.code == code


@pytest.mark.parametrize(
    "url", ["https://example.org/hook", "https://example.org:8443/a?b=c", "https://93.184.216.34/", "https://xn--rksmrgs-5wao1o.se/"]
)  # fmt: skip
def test_a_public_address__is_taken(url: str) -> None:
    guard.check_url(url, local=False)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("127.0.0.1", False), ("100.64.0.1", False),
        ("192.168.1.1", False), ("172.16.0.1", False), ("224.0.0.1", False), ("255.255.255.255", False),
        ("fe80::1", False), ("ff02::1", False), ("::", False), ("64:ff9b::10.0.0.1", False),
        ("64:ff9b::8.8.8.8", True), ("2002:7f00:1::", False), ("::ffff:169.254.169.254", False),
    ],
)  # fmt: skip
def test_an_address__is_public_or_not(address: str, public: bool) -> None:
    assert guard.is_public(ipaddress.ip_address(address)) is public


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f000001", "127.1"])
async def test_a_name_that_leads_home__is_refused_when_it_is_looked_up(host: str) -> None:
    """However it is written: what counts is the address that would be connected to."""
    with pytest.raises(NotPublic):
        await guard.resolve(f"https://{host}/", local=False)


async def test_a_post_to_a_private_address__never_leaves() -> None:
    answer = await posting.post("https://localhost:1/", "{}", {}, local=False)

    assert answer.status is None
    assert answer.error == "localhost is not on the public internet"


class _Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(204 if self.headers["Host"].startswith("hooks.example:") else 400)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        del format, args


async def test_the_certificate__must_be_of_the_name_and_not_of_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """We connect to the address that was checked, and still demand the name's own certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example")])
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), start, start + dt.timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(key.private_bytes(*plain))
    (tmp_path / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Taker)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    posting._tls.cache_clear()
    port = server.server_address[1]
    try:
        right = await posting._post(
            f"https://127.0.0.1:{port}/", "hooks.example", f"hooks.example:{port}", "{}", {}
        )
        with pytest.raises(Exception, match="certificate"):
            await posting._post(
                f"https://127.0.0.1:{port}/", "other.example", f"other.example:{port}", "{}", {}
            )
    finally:
        server.shutdown()
        server.server_close()
        posting._tls.cache_clear()

    assert right.status == 204
