"""The way out where no other is set up: a line in the log says what would have left. Never its text."""

import logging

from booking.messages.ways import Letter

log = logging.getLogger("booking.messages")


class Console:
    """Sends nothing. The default without BOOKING_SMTP_URL or BOOKING_SMS_URL."""

    def __init__(self, channel: str) -> None:
        self._channel = channel

    async def send(self, letter: Letter) -> str | None:
        """Say in the log that it would have left; a PIN is in no subject."""
        log.info("%s to %s (not sent, none is set up): %s", self._channel, letter.to, letter.text.subject)
        return None
