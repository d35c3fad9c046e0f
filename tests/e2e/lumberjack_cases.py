"""Lumberjack conversations, good and bad, and what servers answer; and the client that holds them."""

import dataclasses
import socket
import struct
import zlib

from lumberjack_frames import batch, compressed_frame, json_frame, window_frame


class Client:
    """Sends bytes and reads acknowledgements. `context`: for TLS."""

    def __init__(self, address, context=None, timeout=10):
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=timeout)
        if context:
            self._socket = context.wrap_socket(self._socket, server_hostname="localhost")

    def send(self, data):
        self._socket.sendall(data)
        return self

    def read_raw(self, size=6):
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def read_ack(self):
        """The next sequence. EOFError, ConnectionResetError: the server ended the connection."""
        kind, sequence = struct.unpack(">2sI", self.read_raw())
        if kind != b"2A":
            raise ValueError(f"no acknowledgement: {kind!r}")
        return sequence

    def read_acks(self, last):
        """All up to the one that is wanted, which may be preceded by keep-alives and parts."""
        acks = [self.read_ack()]
        while acks[-1] != last:
            acks.append(self.read_ack())
        return acks

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


@dataclasses.dataclass
class Case:
    name: str
    data: bytes
    want: object  # The acknowledgements, in order; or None: the connection ends without one.
    stricter: bool = False  # The sink refuses what the reference server lets pass; some other server does not.


def outcome(address, case):
    """What a server makes of it, as Case.want has it."""
    with Client(address) as client:
        try:
            client.send(case.data)
            if case.want is None:
                client.send(batch([{}] * 7777, 0))  # Were the case taken, this would be acknowledged as well.
            return [client.read_ack() for _ in case.want or [None]]
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return None


EVENT = {"@timestamp": "2024-05-01T10:00:00.123Z", "@metadata": {"beat": "agent", "version": "1"}, "message": "a line"}


def cases():
    one = json_frame(1, EVENT)
    two = json_frame(2, EVENT)

    def bare(payload):
        return window_frame(1) + json_frame(1, payload)

    def packed(frames, count=1, tail=b""):
        stream = zlib.compress(frames) + tail
        return window_frame(count) + struct.pack(">2sI", b"2C", len(stream)) + stream

    return [
        Case("one event", batch([EVENT], 0), [1]),
        Case("an empty object", window_frame(1) + json_frame(1, b"{}"), [1]),
        Case("a compressed window", batch([EVENT] * 2048, 9), [2048]),
        Case("two windows at once", batch([EVENT] * 2, 3) + batch([EVENT] * 3, 0), [2, 3]),
        Case("two compressed frames", window_frame(2) + compressed_frame(one) + compressed_frame(two), None),
        Case("a bare frame and a compressed one", window_frame(2) + one + compressed_frame(two), [2]),
        Case("the largest window", batch([{}] * 10000, 1), [10000]),
        Case("a window too large", batch([{}] * 10001, 1), None),
        Case("a large event", batch([{"message": "x" * (5 << 20)}], 3), [1]),
        Case("no window frame", one, None),
        Case("version 1", b"1W\0\0\0\1", None),
        Case("an unknown frame", window_frame(1) + b"2X\0\0\0\1", None),
        Case("a new window too early", window_frame(2) + one + window_frame(1) + one, None),
        Case("JSON that is cut", bare(b'{"a":'), None),
        Case("an array", bare(b"[1]"), None),
        Case("an event of 0 bytes", bare(b""), None),
        Case("NaN", bare(b'{"a":NaN}'), None),
        Case("a frame cut within a compressed one", packed(one[:-1]), None),
        Case("a compressed frame that is not zlib", window_frame(1) + struct.pack(">2sI", b"2C", 10) + b"x" * 10, None),
        Case("a window within a compressed frame", packed(window_frame(1) + one), None),
        Case("a window of 0", window_frame(0), None, stricter=True),
        Case("sequences that do not begin with 1", window_frame(1) + two, None, stricter=True),
        Case("sequences backwards", window_frame(2) + two + one, None, stricter=True),
        Case("duplicate keys", bare(b'{"a":1,"a":2}'), None, stricter=True),
        Case("text that is not UTF-8", bare(b'{"a":"\xff"}'), None, stricter=True),
        Case("a compressed frame in another", packed(compressed_frame(one)), None, stricter=True),
        Case("more events than the window has", packed(one + two), None, stricter=True),
        Case("bytes after the compressed stream", packed(one, tail=b"tail"), None, stricter=True),
    ]
