"""A Loki of our own that does what it is told: it takes pushes, remembers every entry, and answers as
the test says. Made for what a healthy Loki never does (refuse, stall, hang up) and for counting."""

import collections
import http.server
import json
import re
import threading

from ports import free_port

Entry = collections.namedtuple("Entry", "labels ts line meta")  # dict, ns, str, dict

# What the test wants a request to be answered with. `hang_up`: close without an answer.
Answer = collections.namedtuple("Answer", "status headers body hang_up", defaults=(204, {}, b"", False))


class Push:
    """One request: what came, and whether the sender can know that it was taken."""

    def __init__(self, entries, headers, wire_bytes):
        self.entries = entries
        self.headers = headers
        self.wire_bytes = wire_bytes
        self.status = None  # None: not answered (yet).


def snappy_decode(data):
    """The snappy block format."""
    size, at, shift = 0, 0, 0
    while True:
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    out = bytearray()
    end = len(data)
    while at < end:
        tag = data[at]
        at += 1
        kind = tag & 3
        if kind == 0:
            length = (tag >> 2) + 1
            if length > 60:
                width = length - 60
                length = int.from_bytes(data[at : at + width], "little") + 1
                at += width
            out += data[at : at + length]
            at += length
            continue
        if kind == 1:
            length, offset = ((tag >> 2) & 7) + 4, ((tag >> 5) << 8) | data[at]
            at += 1
        else:
            width = 2 if kind == 2 else 4
            length, offset = (tag >> 2) + 1, int.from_bytes(data[at : at + width], "little")
            at += width
        if not 0 < offset <= len(out):
            raise ValueError("snappy: a copy from before the beginning")
        start = len(out) - offset
        if offset >= length:
            out += out[start : start + length]
        else:  # It overlaps what it writes: a repeated pattern.
            out += (bytes(out[start:]) * (length // offset + 1))[:length]
    if len(out) != size:
        raise ValueError(f"snappy: {len(out)} bytes, announced were {size}")
    return bytes(out)


def varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    """(number, value) of a protobuf message that has varints and byte strings only."""
    at, end = 0, len(data)
    while at < end:
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            yield key >> 3, data[at : at + value]
            at += value
        elif key & 7 == 0:
            yield key >> 3, value
        else:
            raise ValueError(f"protobuf: wire type {key & 7}")


def _text(data):
    return data.decode("utf-8", "surrogateescape")


_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def unquote(text):
    def one(match):
        what = match.group(1)
        if what[0] in "xuU":
            return chr(int(what[1:], 16))
        return _ESCAPES.get(what, what)

    return re.sub(r"\\(x..|u.{4}|U.{8}|.)", one, text)


def parse_labels(text):
    """`{a="1", b="2"}` as a dict. Anything else is an error: a Loki would refuse the request."""
    if not (text.startswith("{") and text.endswith("}")):
        raise ValueError(f"labels without braces: {text}")
    labels, at = {}, 1
    while at < len(text) - 1:
        match = _LABEL.match(text, at)
        if not match:
            raise ValueError(f"labels cannot be parsed at {at}: {text}")
        labels[match.group(1)] = unquote(match.group(2))
        at = match.end()
        if text.startswith(", ", at):
            at += 2
    return labels


def timestamp(data):
    parts = dict(fields(data))
    seconds = parts.get(1, 0)
    if seconds >= 1 << 63:
        seconds -= 1 << 64
    return seconds * 1_000_000_000 + parts.get(2, 0)


def decode_push(body):
    """The entries of a push request as it goes over the wire."""
    entries = []
    for number, stream in fields(snappy_decode(body)):
        if number != 1:
            raise ValueError(f"push request: field {number}")
        labels = None
        for field, value in fields(stream):
            if field == 1:
                labels = parse_labels(_text(value))
            elif field == 2:
                ts, line, meta = None, "", {}
                for part, content in fields(value):
                    if part == 1:
                        ts = timestamp(content)
                    elif part == 2:
                        line = _text(content)
                    elif part == 3:
                        pair = dict(fields(content))
                        meta[_text(pair.get(1, b""))] = _text(pair.get(2, b""))
                entries.append(Entry(labels, ts, line, meta))
    return entries


class Sink:
    """Listens on loopback until close(). Every method may be called from any thread. `decode` gives the
    entries of a request's body."""

    def __init__(self, port=0, decode=decode_push):
        self.lock = threading.Lock()
        self.pushes = []
        self.errors = []  # Requests that could not be decoded: a test fails on them.
        self._script = lambda index, push: Answer()
        self._flowing = threading.Event()
        self._flowing.set()
        self._decode = decode
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                sink._handle(self)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request, address):
                pass  # A killed agent resets its connections.

        self._server = Server(("127.0.0.1", port or free_port()), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/loki/api/v1/push"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _handle(self, request):
        length = int(request.headers.get("Content-Length", 0))
        body = request.rfile.read(length)
        if len(body) < length:  # The sender was killed in the middle.
            request.close_connection = True
            return
        try:
            push = Push(self._decode(body), dict(request.headers), len(body))
        except (ValueError, IndexError) as error:
            with self.lock:
                self.errors.append(str(error))
            push = Push([], dict(request.headers), len(body))
        with self.lock:
            self.pushes.append(push)
            answer = self._script(len(self.pushes) - 1, push)
        self._flowing.wait()
        if answer.hang_up:
            request.close_connection = True
            return
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            request.send_header(name, value)
        if answer.status != 204:
            request.send_header("Content-Length", str(len(answer.body)))
        request.end_headers()
        if answer.status != 204:
            request.wfile.write(answer.body)
        request.wfile.flush()
        with self.lock:
            push.status = answer.status

    def answer(self, script):
        """`script(index, push)` gives the Answer; called under the lock, before anything is sent."""
        with self.lock:
            self._script = script

    def stall(self):
        """Requests are read and then left without an answer, until flow()."""
        self._flowing.clear()

    def flow(self):
        self._flowing.set()

    def taken(self):
        """All entries of requests that were answered with 2xx, in the order in which they came."""
        with self.lock:
            return [e for p in self.pushes if p.status is not None and p.status < 300 for e in p.entries]

    def taken_count(self):
        with self.lock:
            return sum(len(p.entries) for p in self.pushes if p.status is not None and p.status < 300)

    def lines(self):
        return [entry.line for entry in self.taken()]

    def request_count(self):
        with self.lock:
            return len(self.pushes)

    def close(self):
        self._flowing.set()
        self._server.shutdown()
        self._server.server_close()


def dump(entries):
    """For messages of failed tests."""
    return "\n".join(json.dumps(entry._asdict(), sort_keys=True) for entry in entries)
