"""Mail by SMTP (standard library, off the event loop). Repeating a mail repeats its Message-ID."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from booking.clock import utc_now
from booking.messages.ways import Letter, TryLater, Undeliverable
from booking.settings import SettingsError

TIMEOUT_S = 20
_PORTS = {"smtp": 587, "smtps": 465}


class Smtp:
    """A mail server: smtp://user:password@host:587 (STARTTLS where a password is sent) or smtps://…:465."""

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise SettingsError("BOOKING_SMTP_URL must look like smtp://user:password@host:587 or smtps://…")
        self._tls = parts.scheme == "smtps"
        self._host, self._port = parts.hostname, parts.port or _PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender

    def __repr__(self) -> str:
        return f"Smtp({self._host}:{self._port})"

    async def send(self, letter: Letter) -> str | None:
        """Return the Message-ID once the server has taken the mail. Raises Undeliverable, TryLater."""
        mail = self.mail(letter)
        try:
            await asyncio.to_thread(self._send, mail)
        except smtplib.SMTPRecipientsRefused as error:
            ((code, text),) = error.recipients.values()
            raise _refusal(code, text) from error
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code, error.smtp_error) from error
        except (OSError, smtplib.SMTPException) as error:
            raise TryLater(f"{type(error).__name__}: {error}") from error
        return str(mail["Message-ID"])

    def mail(self, letter: Letter) -> EmailMessage:
        """Return the mail as it goes over the wire."""
        mail = EmailMessage()
        mail["From"] = self._sender
        mail["To"] = letter.to
        mail["Subject"] = " ".join(letter.text.subject.split())  # a title may hold what no header can
        mail["Date"] = format_datetime(utc_now())
        mail["Message-ID"] = f"<{letter.id}@{self._sender.rpartition('@')[2].strip('>')}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        mail.set_content(letter.text.body + "\n")
        return mail

    def _send(self, mail: EmailMessage) -> None:
        context = ssl.create_default_context()
        if not (self._tls or self._user):  # the house's own relay: encrypt if it can, as mail servers do
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if self._tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=TIMEOUT_S, context=context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_S)
        with server:
            server.ehlo_or_helo_if_needed()
            if not self._tls and (self._user or server.has_extn("starttls")):
                server.starttls(context=context)
            if self._user:
                server.login(self._user, self._password)
            server.send_message(mail)


def _refusal(code: int, text: bytes | str) -> Exception:
    """5xx is for good (RFC 5321 §4.2.1), except what is about our own account and can be put right."""
    said = f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
    return Undeliverable(said) if code >= 500 and code not in (530, 534, 535) else TryLater(said)
