"""A connection of our own, whatever it speaks: bytes in, bytes out, and how it ends."""

import select
import socket
import ssl
import struct


class Closed(Exception):
    """The other side closed the connection, in order or by a reset."""


class Connection:
    """What sets `_socket` says whom it is to. A context manager."""

    _socket = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def finish_sending(self):
        """Ends this direction; the other goes on, and so does TLS."""
        socket.socket.shutdown(self._socket, socket.SHUT_WR)

    def reset(self):
        """Closes so that the other side sees a reset instead of an end."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def end_tls(self):
        """Says close_notify, and waits for nothing."""
        self._socket.setblocking(False)
        try:
            self._socket.unwrap()
        except ssl.SSLError:
            pass  # The other side's answer is not here yet.

    def send(self, data):
        self._socket.sendall(data)

    def send_past_tls(self, data):
        """As whoever stands on the path could."""
        socket.socket.sendall(self._socket, data)

    def receive(self, limit=65536):
        """The next bytes; nothing at an orderly end."""
        return self._socket.recv(limit)

    def wait_until_readable(self, timeout=20):
        """Until there is an answer or an end, of which nothing is read. Not through TLS."""
        assert select.select([self._socket], [], [], timeout)[0], "nothing came"

    def error(self):
        """What the kernel has against it, a reset that came behind the end too; 0: nothing."""
        return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def segments_received(self):
        """TCP segments, without what the kernel dropped: tcpi_segs_in of <linux/tcp.h>."""
        return struct.unpack_from("=I", self._socket.getsockopt(
            socket.IPPROTO_TCP, socket.TCP_INFO, 144), 140)[0]

    def receive_rest(self):
        """Every byte until the other side closes; a reset counts as an end."""
        data = b""
        try:
            while more := self.receive():
                data += more
        except (ConnectionResetError, ssl.SSLEOFError):
            pass
        return data

    def receive_exactly(self, size):
        data = bytearray()
        while len(data) < size:
            try:
                more = self._socket.recv(size - len(data))
            except (ConnectionResetError, ssl.SSLEOFError) as error:
                raise Closed(str(error)) from error
            if not more:
                raise Closed(f"closed {size - len(data)} bytes early")
            data += more
        return bytes(data)
