"""Frames of the lumberjack protocol, version 2: made, and read as strictly as the strictest server."""

import json
import re
import struct
import zlib

from bulk_rules import strict_json


def window_frame(count):
    return struct.pack(">2sI", b"2W", count)


def json_frame(sequence, event):
    """`event`: an object, or bytes that are sent as they are."""
    payload = event if isinstance(event, bytes) else json.dumps(event).encode()
    return struct.pack(">2sII", b"2J", sequence, len(payload)) + payload


def compressed_frame(frames, level=3):
    payload = zlib.compress(frames, level)
    return struct.pack(">2sI", b"2C", len(payload)) + payload


def ack_frame(sequence):
    return struct.pack(">2sI", b"2A", sequence)


def batch(events, level=3):
    """A window as a client sends it; level 0: not compressed."""
    frames = b"".join(json_frame(number, event) for number, event in enumerate(events, 1))
    return window_frame(len(events)) + (compressed_frame(frames, level) if level else frames)


class ProtocolError(Exception):
    """A client broke a rule: the connection is reset."""


class Truncated(Exception):
    """The connection ended within a window."""


class Window:
    """What came between one window frame and the next."""

    def __init__(self, number, connection, count):
        self.number = number  # From 0, over all connections.
        self.connection = connection  # From 0.
        self.count = count
        self.events = []
        self.wire_bytes = 6
        self.plain_bytes = 6  # As if nothing were compressed.
        self.compressed_frames = 0
        self.acked = 0  # Highest that was sent.
        self.settled = False  # The answer is over.


class _Bytes:
    """The content of a compressed frame, read like a connection."""

    def __init__(self, data):
        self._data, self._at = data, 0

    def read(self, size):
        if self._at + size > len(self._data):
            raise ProtocolError("a compressed frame ends within a frame")
        self._at += size
        return self._data[self._at - size : self._at]

    def at_end(self):
        return self._at == len(self._data)


def _u32(data):
    return struct.unpack(">I", data)[0]


def read_window_count(read, most):
    head = read(6)
    if head[:2] != b"2W":
        raise ProtocolError(f"a window frame is due, not {head[:2]!r}")
    count = _u32(head[2:])
    if count == 0:
        raise ProtocolError("a window of 0 events")
    if count > most:
        raise ProtocolError(f"a window of {count} events, at most {most} are taken")
    return count


def read_frames(window, read, most_bytes):
    """Reads frames until the window is complete. `read(n)` gives n bytes, or raises."""
    while len(window.events) < window.count:
        kind = read(2)
        window.wire_bytes += 2
        if kind == b"2J":
            window.wire_bytes += 8 + _read_event(window, read, most_bytes)
        elif kind == b"2C":
            size = _u32(read(4))
            if size > most_bytes:
                raise ProtocolError(f"a compressed frame of {size} bytes")
            window.wire_bytes += 4 + size
            window.compressed_frames += 1
            _read_compressed(window, read(size), most_bytes)
            if len(window.events) < window.count:
                # The reference server looks for all of the window in there; the one in Java goes on reading.
                raise ProtocolError("a compressed frame that does not complete its window")
        elif kind == b"2W":
            raise ProtocolError("a new window before the last one is complete")
        else:
            raise ProtocolError(f"an unknown frame {kind!r}")


def _read_compressed(window, data, most_bytes):
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(data, most_bytes)
    except zlib.error as error:
        raise ProtocolError(f"a compressed frame that cannot be inflated: {error}") from None
    if not inflater.eof:
        raise ProtocolError("a compressed frame that does not end, or is too large")
    if inflater.unused_data:
        raise ProtocolError("bytes after the end of a compressed frame's stream")
    inner = _Bytes(plain)
    if inner.at_end():
        raise ProtocolError("a compressed frame of nothing")
    while not inner.at_end():
        kind = inner.read(2)
        if kind != b"2J":
            raise ProtocolError(f"a frame {kind!r} within a compressed one")
        if len(window.events) == window.count:
            raise ProtocolError(f"more events than the {window.count} of the window")
        _read_event(window, inner.read, most_bytes)


def _read_event(window, read, most_bytes):
    sequence, size = struct.unpack(">II", read(8))
    if sequence != len(window.events) + 1:
        raise ProtocolError(f"sequence {sequence} where {len(window.events) + 1} is due")
    if not 0 < size <= most_bytes:
        raise ProtocolError(f"an event of {size} bytes")
    payload = read(size)
    window.plain_bytes += 10 + size
    try:
        event = strict_json(payload)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"an event that is no JSON: {error}") from None
    if not isinstance(event, dict):
        raise ProtocolError("an event that is no object")
    window.events.append(event)
    return size


_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$")


def _keys(value):
    if isinstance(value, dict):
        for key, child in value.items():
            yield key
            yield from _keys(child)
    elif isinstance(value, list):
        for child in value:
            yield from _keys(child)


def event_problems(event):
    """What Logstash, or its usual configuration, would not get along with in an event."""
    problems = []

    def expect(good, problem):
        if not good:
            problems.append(problem)

    time = event.get("@timestamp")
    expect(isinstance(time, str) and _TIME.match(time), f"@timestamp {time!r}")
    metadata = event.get("@metadata")
    expect(isinstance(metadata, dict), "@metadata is no object")
    for name in ("beat", "version"):
        expect(isinstance(metadata, dict) and isinstance(metadata.get(name), str), f"@metadata.{name} is no string")
    # Beats leave it out of an event whose line was decoded.
    expect(isinstance(event.get("message", ""), str), "message is no string")
    expect(isinstance(event.get("host", {}), dict), "host is no object")
    tags = event.get("tags", [])
    expect(isinstance(tags, list) and all(isinstance(tag, str) for tag in tags), "tags are no strings")
    for name in ("beat", "line", "@version"):
        expect(name not in event, f"there is a {name}")
    for key in _keys(event):
        expect(key and "[" not in key and "]" not in key, f"key {key!r}")
    return problems
