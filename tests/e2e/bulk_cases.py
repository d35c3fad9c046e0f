"""Bulk requests, good and bad, and what Elasticsearch and OpenSearch answer: the strict sink as the real ones."""

import dataclasses
import gzip
import http.client
import json
import urllib.parse

NDJSON = "application/x-ndjson"


@dataclasses.dataclass
class Case:
    name: str
    body: bytes
    want: object  # The status of a refused request, or the list of the items' statuses.
    headers: dict = dataclasses.field(default_factory=lambda: {"Content-Type": NDJSON})
    path: str = "/_bulk"
    stricter: bool = False  # The sink refuses what a real one lets pass: no client should rely on it.


def ndjson(*lines):
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


def create(index, document, **meta):
    return ndjson({"create": {"_index": index, **meta}}, document)


def post(url, path, body, headers, method="POST"):
    """(status, headers, decoded JSON or bytes); the answer as a dict where it is one."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request(method, parts.path + path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        if answer.headers.get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        try:
            return answer.status, answer.headers, json.loads(data)
        except ValueError:
            return answer.status, answer.headers, data
    finally:
        connection.close()


def statuses(answer):
    return [next(iter(item.values()))["status"] for item in answer["items"]]


def outcome(url, case):
    """What a server makes of a case, as Case.want has it; 0: it hung up."""
    try:
        status, _, answer = post(url, case.path, case.body, case.headers)
    except http.client.RemoteDisconnected:
        return 0
    if status != 200:
        return status
    return statuses(answer)


STREAM_TEMPLATE = {"index_patterns": ["stream-*"], "data_stream": {}, "priority": 300}
DOC = {"@timestamp": "2024-05-01T10:00:00.123456Z", "message": "a line"}


def deep(levels):
    return b'{"a":' * levels + b"1" + b"}" * levels


def cases(types=False):
    """To be sent in this order to a server that keeps nothing yet. `types`: it is older than 8.0, and no OpenSearch."""
    return _request_cases(types) + _document_cases() + _name_cases()


def _request_cases(types):
    return [
        Case("one document", create("plain", DOC, _id="1"), [201]),
        Case("the same id again", create("plain", DOC, _id="1"), [409]),
        Case("index overwrites", ndjson({"index": {"_index": "plain", "_id": "1"}}, DOC), [200]),
        Case("without an id", create("plain", DOC) + create("plain", DOC), [201, 201]),
        Case("the server's index of the path", ndjson({"create": {}}, DOC), [201], path="/plain/_bulk"),
        Case("without an index", ndjson({"create": {}}, DOC), 400),
        Case("delete and update", ndjson({"update": {"_index": "plain", "_id": "1"}}, {"doc": {"message": "b"}},
             {"delete": {"_index": "plain", "_id": "1"}}, {"delete": {"_index": "plain", "_id": "1"}}), [200, 200, 404]),
        Case("gzip", gzip.compress(create("plain", DOC)), [201], {"Content-Type": NDJSON, "Content-Encoding": "gzip"}),
        Case("gzip that is none", create("plain", DOC), 0, {"Content-Type": NDJSON, "Content-Encoding": "gzip"}),
        Case("type with a charset", create("plain", DOC), [201], {"Content-Type": f"{NDJSON}; charset=UTF-8"}),
        Case("text/plain", create("plain", DOC), 406, {"Content-Type": "text/plain"}),
        Case("no content type", create("plain", DOC), 406, {}),
        Case("application/json", create("plain", DOC), 406, {"Content-Type": "application/json"}, stricter=True),
        Case("no newline at the end", create("plain", DOC)[:-1], 400),
        Case("an empty body", b"", 400),
        Case("blank lines only", b"\n\n", 400),
        Case("a blank line between", create("plain", DOC) + b"\n" + create("plain", DOC), 400, stricter=True),
        Case("carriage returns", create("plain", DOC).replace(b"\n", b"\r\n"), 400, stricter=True),
        Case("an action without document", ndjson({"create": {"_index": "plain"}}), 400),
        Case("an unknown action", ndjson({"store": {"_index": "plain"}}, DOC), 400),
        Case("two actions on a line", ndjson({"create": {"_index": "plain"}, "index": {"_index": "plain"}}, DOC), 400, stricter=True),
        Case("unknown metadata", create("plain", DOC, _colour="red"), 400),
        Case("_type", create("plain", DOC, _type="_doc"), [201] if types else 400),
        Case("metadata that is no object", ndjson({"create": "plain"}, DOC), 400),
        Case("an action that is no JSON", ndjson(b'{"create":', DOC), 400),
        Case("an array for an action", ndjson([1], DOC), 400),
        Case("an unknown parameter", create("plain", DOC), 400, path="/_bulk?colour=red"),
    ]  # fmt: skip


def _document_cases():
    return [
        Case("a document that is no JSON, among good ones",
             create("plain", DOC) + ndjson({"create": {"_index": "plain"}}, b'{"message": tru}') + create("plain", DOC), [201, 400, 201]),
        Case("a document that is an array", ndjson({"create": {"_index": "plain"}}, b"[1]"), [400]),
        Case("duplicate keys", ndjson({"create": {"_index": "plain"}}, b'{"message":"a","message":"b"}'), [400]),
        Case("NaN", ndjson({"create": {"_index": "plain"}}, b'{"number":NaN}'), [400]),
        Case("text that is not UTF-8", ndjson({"create": {"_index": "plain"}}, b'{"message":"\xff\xfe"}'), [400]),
        Case("a control character", ndjson({"create": {"_index": "plain"}}, b'{"message":"\x01"}'), [400]),
        Case("escaped NUL and U+2028", ndjson({"create": {"_index": "plain"}}, b'{"message":"\\u0000\xe2\x80\xa8"}'), [201]),
        Case("text for a number", create("numbers", {"n": 1}) + create("numbers", {"n": "many"}), [201, 400]),
        Case("a number as text", create("numbers", {"n": "12"}) + create("numbers", {"n": 1.5}), [201, 201]),
        Case("an object for a number", create("numbers", {"n": {"m": 1}}), [400]),
        Case("a scalar for an object", create("objects", {"a": {"b": 1}}) + create("objects", {"a": 1}), [201, 400]),
        Case("a dotted name for an object", create("objects", {"a.b": 2}), [201]),
        Case("a and a.b in one document", create("objects", {"c": 1, "c.d": 2}), [400]),
        Case("a string that looks like a date, then one that does not",
             create("dates", {"d": "2024-05-01T10:00:00Z"}) + create("dates", {"d": "soon"}), [201, 400]),
        Case("nine digits of a second", create("dates", {"d": "2024-05-01T10:00:00.123456789Z"}), [201]),
        Case("an integer beyond 64 bits", create("numbers", b'{"n":99999999999999999999}'), [400]),
        Case("an empty field name", create("plain", {"": 1}), [400]),
        Case("a name with an empty segment", create("plain", {"x..y": 1}), [400]),
        Case("nested too deep", create("deep", deep(21)), [400]),
        Case("nested as deep as can be", create("deep", deep(20)), [201]),
        Case("too many fields", create("wide", {f"f{n}": n for n in range(1001)}), [400]),
        Case("many fields", create("wide", {f"f{n}": n for n in range(1000)}), [201]),
    ]  # fmt: skip


def _name_cases():
    long_id = "i" * 512
    return [
        Case("an id of 512 bytes", create("plain", DOC, _id=long_id), [201]),
        Case("an id of 513 bytes", create("plain", DOC, _id=long_id + "i"), 400),
        Case("an empty id", create("plain", DOC, _id=""), [400]),
        Case("an index in capitals", create("Plain", DOC), [400]),
        Case("an index with forbidden characters", create("a b", DOC) + create("a,b", DOC) + create("a:b", DOC) + create("a#b", DOC), [400] * 4),
        Case("an index that begins wrongly", create("_x", DOC) + create("-x", DOC) + create("+x", DOC), [400] * 3),
        Case("an index of a dot", create("..", DOC), [400]),
        Case("an index of 255 bytes", create("x" * 255, DOC), [201]),
        Case("an index of 256 bytes", create("x" * 256, DOC), [400]),
        Case("an alias is required and missing", create("no-alias", DOC, require_alias=True), [404]),
        Case("a pipeline that is missing", create("plain", DOC, pipeline="nowhere"), [400]),
    ]  # fmt: skip


def stream_cases():
    """For a server that has STREAM_TEMPLATE."""
    return [
        Case("a data stream", create("stream-a", DOC, _id="1"), [201]),
        Case("a data stream, the same id", create("stream-a", DOC, _id="1"), [409]),
        Case("a data stream by index", ndjson({"index": {"_index": "stream-a"}}, DOC), [400]),
        Case("a data stream without a time", create("stream-a", {"message": "x"}), [400]),
    ]  # fmt: skip
