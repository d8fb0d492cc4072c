"""A network cable that can be pulled: forwards one local port to an address while it is plugged in."""

import contextlib
import socket
import threading


class SimulatedCable:
    """Listens on a free local port. Connections through it break when it is pulled."""

    def __init__(self, host: str, port: int) -> None:
        self._target, self._ends = (host, port), set[socket.socket]()
        self._lock, self._is_up = threading.Lock(), True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="cable", daemon=True).start()

    def plug(self, up: bool) -> None:
        """The cable is in, or pulled and everything through it is broken."""
        with self._lock:
            self._is_up = up
            ends = set() if up else self._ends
            self._ends = self._ends - ends
        for end in ends:
            _break(end)

    def close(self) -> None:
        """Nothing listens any more."""
        self.plug(False)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._join(near)

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(self._target, timeout=5)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            if not self._is_up:
                near.close()
                far.close()
                return
            self._ends |= {near, far}
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=(source, sink), name="cable", daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while octets := source.recv(65_536):
                sink.sendall(octets)
        with self._lock:
            self._ends -= {source, sink}
        _break(source)
        _break(sink)


def _break(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
