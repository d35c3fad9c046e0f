"""Push requests as clients of Loki make them, right ones and wrong ones."""

import collections
import http.client
import json

Answer = collections.namedtuple("Answer", "status headers body")

PUSH = "/loki/api/v1/push"
RAW = "/promtail/api/v1/raw"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def number_field(number, value):
    return varint(number << 3) + varint(value)


def snappy(data):
    """A valid block, of literals alone."""
    out = varint(len(data))
    for at in range(0, len(data), 65536):
        piece = data[at : at + 65536]
        out += bytes([61 << 2]) + (len(piece) - 1).to_bytes(2, "little") + piece
    return out


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def entry(ns, line, meta=()):
    time = b"" if ns is None else field(1, number_field(1, ns // 10**9) + number_field(2, ns % 10**9))
    pairs = b"".join(field(3, field(1, _bytes(name)) + field(2, _bytes(value))) for name, value in meta)
    return time + field(2, _bytes(line)) + pairs


def stream(labels, *entries):
    return field(1, field(1, _bytes(labels)) + b"".join(field(2, each) for each in entries))


def protobuf(labels, ns, line, meta=()):
    """A whole body with one entry."""
    return snappy(stream(labels, entry(ns, line, meta)))


def json_body(*values, labels=None):
    """A whole body with one stream; values are lists of time, line, structured metadata."""
    return json.dumps({"streams": [{"stream": {"a": "1"} if labels is None else labels, "values": values}]}).encode()


def post(port, path, body, headers, method="POST", timeout=20):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()
