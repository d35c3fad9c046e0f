"""A lumberjack server of our own for what a healthy one never does. It takes frames as strictly as
lumberjack_frames.py says (whoever breaks a rule is reset, and named in `violations`), and answers each window
as the test wants:

    sink = LumberjackSink()
    sink.answer(lambda window: [ack(3), RESET] if window.number == 0 else None)
    ...
    sink.delivered()
"""

import collections
import os
import select
import socket
import ssl
import struct
import threading
import time

from harness import wait_pause
from lumberjack_frames import ProtocolError, Truncated, Window, ack_frame, event_problems, read_frames, read_window_count
from ports import free_port

# What an answer is made of, in a list. After RESET and HANG_UP nothing follows.
Step = collections.namedtuple("Step", "kind value")
RESET, HANG_UP = Step("reset", None), Step("hang_up", None)


def ack(sequence):
    return Step("send", (ack_frame(sequence), sequence))


KEEP_ALIVE = ack(0)


def garbage(data):
    return Step("send", (data, None))


def pause(seconds):
    return Step("pause", seconds)


class _Ended(Exception):
    pass


class _Connection:
    """One thread reads windows, one answers them in their order."""

    def __init__(self, sink, number, plain):
        self.sink, self.number = sink, number
        self.ending = None  # "reset", "hang_up" or "eof".
        self._left = None  # Bytes until the connection is reset in the midst of a window; None: it is not.
        self._socket = plain
        self._lock = threading.Lock()  # A TLS connection is used by one thread at a time.
        self._wake_reader, self._wake = socket.socketpair()
        self._changed = threading.Condition()
        self._waiting = collections.deque()
        self._last_traffic = time.monotonic()

    def run(self):
        how = "hang_up"
        answering = threading.Thread(target=self._answer_windows, daemon=True)
        try:
            self._socket = self.sink.secure(self._socket)
            answering.start()
            while True:
                self._read_window()
        except ProtocolError as error:
            self.sink.violated(f"connection {self.number}: {error}")
            how = "reset"
        except (_Ended, Truncated, OSError):
            how = self.ending or "eof"
        self.end(how)
        if answering.ident is not None:
            answering.join()
        self._close(reset=self.ending == "reset")

    def _close(self, reset):
        if reset and self._socket.fileno() >= 0:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        descriptor = self._socket.detach()
        if descriptor >= 0:  # A handshake that fails closes it already.
            os.close(descriptor)
        self._wake.close()
        self._wake_reader.close()
        self.sink.forget(self)

    def end(self, how):
        """From any thread. The first one says how."""
        with self._changed:
            if self.ending is None:
                self.ending = how
                self._wake.send(b"x")
            self._changed.notify_all()

    # --- Reading.

    def _read_window(self):
        count = read_window_count(self._read, self.sink.max_window)
        with self._changed:
            before = sum(window.acked < window.count for window in self._waiting)
        window = self.sink.begin_window(self, count, before)
        self._left = self.sink.cut_of(window)
        read_frames(window, self._read, self.sink.max_bytes)
        self._left = None
        self.sink.window_read(window)
        with self._changed:
            self._waiting.append(window)
            self._changed.notify_all()

    def _read(self, size):
        data = bytearray()
        while len(data) < size:
            self._wait_readable()
            want = size - len(data)
            if self._left is not None:
                want = min(want, self._left)
                if want == 0:
                    self.end("reset")
                    raise _Ended
            with self._lock:
                part = self._socket.recv(want)
            if not part:
                raise Truncated
            self._last_traffic = time.monotonic()
            if self._left is not None:
                self._left -= len(part)
            data += part
        return bytes(data)

    def _wait_readable(self):
        """Until there is something to read. Raises when the connection is to end."""
        while True:
            # Stalled: what the client sends fills its buffers and ours.
            stalled = self.sink.is_stalled()
            if not stalled and isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
                return
            limit = self.sink.idle_limit
            if self._waiting:
                self._last_traffic = time.monotonic()
            left = None if limit is None else max(0.0, self._last_traffic + limit - time.monotonic())
            wanted = [self._wake_reader] if stalled else [self._wake_reader, self._socket]
            ready, _, _ = select.select(wanted, [], [], 0.02 if stalled else left)
            if self.ending:
                raise _Ended
            if self._socket in ready:
                return
            if not ready and not stalled and not self._waiting:
                self.end("reset")
                raise _Ended

    # --- Answering.

    def _answer_windows(self):
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._waiting or self.ending)
                    if self.ending:
                        return
                    window = self._waiting[0]
                self._wait_held()
                for step in self.sink.plan_of(window):
                    self._take_step(window, step)
                with self._changed:
                    self._waiting.popleft()
                window.settled = True
        except (_Ended, OSError):
            self.end("eof")

    def _wait_held(self):
        """Acknowledges nothing while the sink holds windows back, but says that it lives."""
        while not self.sink.released.wait(self.sink.keepalive):
            if self.ending:
                raise _Ended
            self._send(ack_frame(0))

    def _take_step(self, window, step):
        if self.ending:
            raise _Ended
        if step.kind in ("reset", "hang_up"):
            self.end(step.kind)
            raise _Ended
        if step.kind == "pause":
            wait_pause(step.value)
            return
        data, sequence = step.value
        if sequence:
            # Before the client can know it.
            window.acked = max(window.acked, min(sequence, window.count))
        self._send(data)

    def _send(self, data):
        with self._lock:
            self._socket.sendall(data)


class LumberjackSink:
    """Listens on loopback until close(). Every method may be called from any thread.

    certificate: (cert, key) files for TLS; client_authority: file, client certificates are demanded.
    idle_limit: seconds without anything to read after which a connection is reset, as Logstash does.
    keepalive: seconds between acknowledgements of nothing while hold() is on; None: never.
    check_events: violations also name events that Logstash would not get along with."""

    def __init__(self, port=0, certificate=None, client_authority=None, idle_limit=None, keepalive=None,
                 max_window=10000, max_bytes=64 << 20, check_events=False):  # fmt: skip
        self.lock = threading.RLock()
        self.idle_limit, self.keepalive = idle_limit, keepalive
        self.max_window, self.max_bytes = max_window, max_bytes
        self.check_events = check_events
        self.windows = []  # Each that was begun, in that order.
        self.violations = []
        self.connections = 0  # That there have been.
        self.max_in_flight = 0  # Windows of one connection, at one time, that were not wholly acknowledged.
        self.released = threading.Event()
        self.released.set()
        self._script = lambda window: None
        self._cut_script = lambda window: None
        self._stalled = False
        self._complete = []  # Windows that were read to their end.
        self._open = set()
        self._context = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
            if client_authority:
                self._context.verify_mode = ssl.CERT_REQUIRED
                self._context.load_verify_locations(client_authority)
        self._listener = socket.create_server(("127.0.0.1", port or free_port()), backlog=64)
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
                connection = _Connection(self, self.connections, plain)
                self.connections += 1
                self._open.add(connection)
            threading.Thread(target=connection.run, daemon=True).start()

    # --- What a test says.

    def answer(self, script):
        """`script(window)` gives a list of steps, or None for [ack(window.count)]. It is asked, under the lock,
        once the whole window is there."""
        with self.lock:
            self._script = script

    def cut(self, script):
        """`script(window)` gives how many bytes after the window frame are read before the connection is reset,
        or None. It is asked when the window frame is there: `window` has no events yet."""
        with self.lock:
            self._cut_script = script

    def hold(self):
        """Windows are read and not answered, but for keep-alives, until release()."""
        self.released.clear()

    def release(self):
        self.released.set()

    def stall(self):
        """Nothing more is read, until flow()."""
        self._stalled = True

    def flow(self):
        self._stalled = False

    def reset_connections(self):
        self._end_all("reset")

    def close_connections(self):
        self._end_all("hang_up")

    def _end_all(self, how):
        with self.lock:
            ending = list(self._open)
        for connection in ending:
            connection.end(how)

    def close(self):
        if self._listener.fileno() < 0:
            return
        # Wakes accept(), which closing alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        self.close_connections()
        self.release()

    # --- What a test asks.

    def received(self):
        """The events of all windows that came whole, in their order, as often as they came."""
        with self.lock:
            return [event for window in self._complete for event in window.events]

    def delivered(self):
        """Only those that were acknowledged, which the client may forget."""
        with self.lock:
            return [event for window in self._complete for event in window.events[: window.acked]]

    def delivered_count(self):
        with self.lock:
            return sum(window.acked for window in self._complete)

    def open_connections(self):
        with self.lock:
            return len(self._open)

    # --- What connections ask.

    def secure(self, plain):
        return self._context.wrap_socket(plain, server_side=True) if self._context else plain

    def begin_window(self, connection, count, waiting):
        with self.lock:
            window = Window(len(self.windows), connection.number, count)
            self.windows.append(window)
            self.max_in_flight = max(self.max_in_flight, waiting + 1)
            return window

    def cut_of(self, window):
        with self.lock:
            return self._cut_script(window)

    def window_read(self, window):
        with self.lock:
            self._complete.append(window)
            if self.check_events:
                for event in window.events:
                    self.violations += [f"window {window.number}: {problem}" for problem in event_problems(event)]

    def plan_of(self, window):
        with self.lock:
            plan = self._script(window)
        return [ack(window.count)] if plan is None else plan

    def violated(self, what):
        with self.lock:
            self.violations.append(what)

    def is_stalled(self):
        return self._stalled

    def forget(self, connection):
        with self.lock:
            self._open.discard(connection)
