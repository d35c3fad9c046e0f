"""Receivers of newline-delimited JSON that do what a healthy one does not: reset, stall, dawdle, close, vanish.
What they took is what a program behind them would have: whole lines that it has read.

    sink = LineSink()
    sink.plan(lambda number: Plan(reset_after=10) if number == 0 else None)
    ...
    sink.messages()
"""

import collections
import contextlib
import ctypes
import json
import os
import select
import socket
import ssl
import struct
import threading

from harness import wait_pause
from ports import free_port

_SO_ATTACH_FILTER = 26  # Of Linux.

# What becomes of a connection, by its number. `reset_after`: lines that are read before it is reset.
# `close_after`: likewise, but closed, with what is unread still there. `bytes`, `pause`: of each read.
# `deaf`: nothing is read, and nothing answers an end.
Plan = collections.namedtuple("Plan", "reset_after close_after bytes pause deaf", defaults=(None, None, 1 << 16, 0, False))


def line_problems(line):
    """What Logstash would not take for one event."""
    if line != line.strip() or not line:
        return ["a blank line, or space around one"]
    try:
        event = json.loads(line)
    except ValueError:
        return [f"no JSON: {line[:60]!r}"]
    if not isinstance(event, dict):
        return [f"no object: {line[:60]!r}"]
    problems = [f"{key} is there" for key in ("@metadata", "line") if key in event]
    problems += [f"{key} is no text" for key in ("@timestamp", "message") if not isinstance(event.get(key), str)]
    if not isinstance(event.get("host", {}), dict):
        problems.append("host is no object")
    return problems


class _Connection:
    def __init__(self, sink, number, plain):
        self.sink, self.number, self.socket = sink, number, plain
        self.plan = sink.plan_of(number)
        self.lines = []
        self.fragment = b""
        self.ending = None  # "eof", "reset", "close", "broken" or "handshake".
        self.unread = b""

    def run(self):
        try:
            if self.sink.context:
                self.socket = self.sink.context.wrap_socket(self.socket, server_side=True)
            self.ending = self._read()
        except ssl.SSLError:
            self.ending = "handshake" if not self.lines else "broken"
        except OSError:
            self.ending = self.ending or "broken"
        self._close()
        self.sink.ended(self)

    def _close(self):
        if self.ending == "reset" and self.socket.fileno() >= 0:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if self.ending == "eof" and isinstance(self.socket, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                self.socket.unwrap()
        descriptor = self.socket.detach()
        if descriptor >= 0:
            os.close(descriptor)

    def _read(self):
        while True:
            if self.ending:
                return self.ending
            if self.sink.stalled or self.plan.deaf:
                wait_pause(0.02)
                continue
            if not (isinstance(self.socket, ssl.SSLSocket) and self.socket.pending()):
                if not select.select([self.socket], [], [], 0.02)[0]:
                    continue
                if self.sink.stalled:  # While it was waited for.
                    continue
            data = self.socket.recv(self.plan.bytes)
            if not data:
                return "eof"
            limit = self._take(data)
            if limit:
                return limit
            wait_pause(self.plan.pause)

    def _take(self, data):
        *whole, self.fragment = (self.fragment + data).split(b"\n")
        for line in whole:
            for limit, what in ((self.plan.reset_after, "reset"), (self.plan.close_after, "close")):
                if limit is not None and len(self.lines) >= limit:
                    return what
            self.lines.append(line)
            self.sink.take(self, line)
        return None


class LineSink:
    """`certificate`, `client_authority`: as in ssl. `buffer`: SO_RCVBUF of its connections."""

    def __init__(self, port=0, certificate=None, client_authority=None, buffer=None):
        self.lock = threading.Lock()
        self.lines = []  # In the order in which they were read.
        self.connections = []
        self.violations = []
        self.stalled = False
        self._open = set()
        self._plan = lambda number: None
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
            if client_authority:
                self.context.verify_mode = ssl.CERT_REQUIRED
                self.context.load_verify_locations(client_authority)
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if buffer:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._listener.bind(("127.0.0.1", port or free_port()))
        self._listener.listen(64)
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with self.lock:
                connection = _Connection(self, len(self.connections), plain)
                self.connections.append(connection)
                self._open.add(connection)
            threading.Thread(target=connection.run, daemon=True).start()

    # --- What a test says.

    def plan(self, script):
        self._plan = script

    def stall(self):
        self.stalled = True

    def flow(self):
        self.stalled = False

    def vanish(self):
        """The machine is gone: whatever comes for these connections is not even noticed."""
        code = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # Of a packet, 0 bytes are kept.
        program = struct.pack("HxxxxxxP", 1, ctypes.addressof(code))
        with self.lock:
            for connection in self._open:
                connection.socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)

    def end_all(self, how):
        """"reset" or "close": all connections, with what they have not read."""
        with self.lock:
            for connection in self._open:
                connection.ending = how

    def close(self, how="reset"):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        self.end_all(how)

    # --- What a test asks.

    def events(self):
        with self.lock:
            return [json.loads(line) for line in self.lines]

    def messages(self):
        return [event["message"] for event in self.events()]

    def count(self):
        with self.lock:
            return len(self.lines)

    def open_connections(self):
        with self.lock:
            return len(self._open)

    # --- What connections ask.

    def plan_of(self, number):
        return self._plan(number) or Plan()

    def take(self, connection, line):
        with self.lock:
            self.lines.append(line)
            self.violations += [f"connection {connection.number}: {problem}" for problem in line_problems(line)]

    def ended(self, connection):
        with self.lock:
            self._open.discard(connection)


class DatagramSink:
    """Datagrams as they come."""

    def __init__(self, port=0):
        self.datagrams = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(("127.0.0.1", port or free_port()))
        self.port = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self):
        while True:
            data = self._socket.recv(1 << 17)
            if data == b"close":
                return
            self.datagrams.append(data)

    def messages(self):
        return [json.loads(data)["message"] for data in self.datagrams]

    def count(self):
        return len(self.datagrams)

    def violations(self):
        return [problem for data in self.datagrams for problem in line_problems(data)]

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"close", ("127.0.0.1", self.port))
        self._reading.join()
        self._socket.close()
