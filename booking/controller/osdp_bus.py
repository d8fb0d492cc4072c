"""One RS-485 line with OSDP readers: polled in turn, heard, answered (needs the extra `osdp`: pyserial)."""

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from booking.controller import osdp
from booking.controller.osdp import BadFrame, Frame

POLL_EVERY_S, ANSWER_WITHIN_S = 0.1, 0.2


class Port(Protocol):
    """The part of `serial.Serial` that is used."""

    def write(self, data: bytes, /) -> int | None:
        """The octets are sent."""

    def read(self, size: int = 1, /) -> bytes:
        """Return up to so many octets, fewer after the port's own time-out."""

    def reset_input_buffer(self) -> None:
        """What came late is forgotten."""

    def close(self) -> None:
        """The line is free."""


def open_port(path: str, baud: int) -> Port:
    """Return the serial port. Raises OSError, also where pyserial is not installed."""
    try:
        import serial
    except ImportError as error:
        raise OSError("OSDP needs pyserial: pip install 'booking[osdp]'") from error
    port: Port = serial.Serial(path, baud, timeout=ANSWER_WITHIN_S)
    return port


class Bus:
    """Polls until stopped. `hear` gets every reply that says something, in the bus's own thread."""

    def __init__(self, port: Port, addresses: Mapping[int, Callable[[Frame], None]]) -> None:
        self._port, self._hear = port, dict(addresses)
        self._sequence = dict.fromkeys(self._hear, 0)  # 0 starts a conversation anew
        self._owed: dict[int, list[tuple[int, bytes]]] = {address: [] for address in self._hear}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="osdp", daemon=True)

    def start(self) -> None:
        """Readers are polled from now on."""
        self._thread.start()

    def stop(self) -> None:
        """The line is free."""
        self._stop.set()
        self._thread.join(5)
        self._port.close()

    def show(self, address: int, granted: bool) -> None:
        """The reader will say whether the door opened."""
        self._owed[address] += [(osdp.LED, osdp.shown(granted)), (osdp.BUZZER, osdp.heard(granted))]

    def poll(self, address: int) -> Frame | None:
        """Return the reader's reply to what is owed to it, else to a poll; None if it is silent."""
        owed = self._owed[address]
        code, data = owed[0] if owed else (osdp.POLL, b"")
        sequence = self._sequence[address]
        self._port.reset_input_buffer()
        self._port.write(osdp.build(address, sequence, code, data))
        reply = self._read(address, sequence)
        if reply is None or reply.code == osdp.NAK:
            self._sequence[address] = 0
            return None
        self._sequence[address] = sequence % 3 + 1
        if owed:
            owed.pop(0)
        return reply

    def _read(self, address: int, sequence: int) -> Frame | None:
        head = self._port.read(1)
        while head and head[0] != osdp.SOM:  # a mark octet, or noise
            head = self._port.read(1)
        head += self._port.read(3) if head else b""
        length = osdp.length_of(head)
        if length is None:
            return None
        try:
            frame = osdp.parse(head + self._port.read(length - len(head)))
        except BadFrame:
            return None
        is_ours = frame.is_reply and (frame.address, frame.sequence) == (address, sequence)
        return frame if is_ours else None

    def _run(self) -> None:
        while not self._stop.wait(POLL_EVERY_S / len(self._hear)):
            for address, hear in self._hear.items():
                try:
                    reply = self.poll(address)
                except OSError:
                    self._sequence[address] = 0
                    continue
                if reply is not None and reply.code in (osdp.KEYPAD, osdp.RAW):
                    hear(reply)
