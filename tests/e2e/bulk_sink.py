"""An Elasticsearch (or OpenSearch) of our own for what a healthy one never does: it takes bulk requests as
strictly as bulk_rules.py says, keeps the documents, and answers each request and each document as the test
wants: refusals, partial failures, answers that are cut, late, wrong or none. It also knows the end points
by which templates, policies, aliases and indices are set up.

    sink = BulkSink()
    sink.answer(lambda request: refuse(503) if request.number < 2 else None)
    sink.answer_items(lambda item: item_error(429) if item.id == "a" else None)
    ...
    self.assertEqual(sink.violations, [])
    sink.documents("logs")
"""

import dataclasses
import gzip
import http.server
import json
import os
import socket
import ssl
import struct
import threading
import time
import typing
import urllib.parse
import zlib

from bulk_rules import Refused, check_query, filter_answer, parse_bulk
from bulk_setup import answer_setup
from bulk_store import Store
from ports import free_port


@dataclasses.dataclass
class Answer:
    """What one request is answered with; the fields that are None are as a healthy server has them. `store`:
    whether its documents are kept, by default if the status is not one of failure. `edit` may change the dict
    of a bulk answer before it is sent. `end`: "" | "hang_up" (no answer, FIN) | "reset" (no answer, RST) |
    "cut" (half of the answer, then RST) | "hang" (no answer until flow())."""

    status: typing.Optional[int] = None
    body: typing.Optional[bytes] = None
    headers: dict = dataclasses.field(default_factory=dict)
    store: typing.Optional[bool] = None
    edit: typing.Optional[typing.Callable] = None
    end: str = ""


def error_body(status, kind, reason):
    cause = {"type": kind, "reason": reason}
    return json.dumps({"error": {"root_cause": [cause], **cause}, "status": status}).encode()


def refuse(status, kind="made_up_exception", reason="so the test wants it", **headers):
    """The whole request. refuse(429, Retry_After="2") has that header."""
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return Answer(status, error_body(status, kind, reason), {"Content-Type": "application/json", **named}, False)


def _cause(error):
    """The real ones say no more than that it failed, and why in what caused it."""
    reason, colon, cause = error.reason.partition(": ")
    if reason != "failed to parse" or not colon:
        return {"type": error.kind, "reason": error.reason}
    return {"type": error.kind, "reason": reason, "caused_by": {"type": "json_parse_exception", "reason": cause}}


_ITEM_ERRORS = {
    400: ("mapper_parsing_exception", "failed to parse field [x] of type [long]"),
    403: ("cluster_block_exception", "index [x] blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];"),
    404: ("index_not_found_exception", "no such index [x]"),
    409: ("version_conflict_engine_exception", "[x]: version conflict, document already exists"),
    429: ("es_rejected_execution_exception", "rejected execution of coordinating operation"),
    503: ("unavailable_shards_exception", "[x][0] primary shard is not active"),
}


def item_error(status, kind=None, reason=None):
    """For answer_items(): the document is not kept."""
    usual = _ITEM_ERRORS.get(status, ("made_up_exception", "so the test wants it"))
    return Refused(status, kind or usual[0], reason or usual[1])


class Request:
    """Whatever came: a bulk request has `number` (from 0) and `items`, others have `number` None."""

    def __init__(self, handler, body, wire_bytes):
        self.time = time.monotonic()
        self.method = handler.command
        url = urllib.parse.urlsplit(handler.path)
        self.parts = [urllib.parse.unquote(part) for part in url.path.split("/") if part]
        self.path = "/" + "/".join(self.parts)
        self.query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.body = body  # After decompression.
        self.wire_bytes = wire_bytes
        self.peer = handler.client_address
        self.number = None
        self.items = []
        self.status = None  # None: not answered (yet), or the answer was cut.

    def json(self):
        return json.loads(self.body) if self.body else {}


class BulkSink:
    """Listens on loopback until close(). Every method may be called from any thread.

    version, distribution: "opensearch" or None, what GET / says. prefix: everything is below that path.
    certificate: (cert, key) files for TLS; client_authority: file, client certificates are demanded.
    authorization: the one value of that header that is let in. data_streams: patterns of names that are such
    without a template, as `logs-*-*` in Elasticsearch 8. accept_gzip=False: answers 415 to it."""

    def __init__(self, port=0, version="8.17.0", distribution=None, prefix="", certificate=None, client_authority=None,
                 authorization=None, data_streams=(), auto_create=True, accept_gzip=True, max_bytes=100 << 20):  # fmt: skip
        self.lock = threading.RLock()
        self.store = Store(auto_create, data_streams)
        self.version, self.distribution = version, distribution
        self.prefix = prefix.rstrip("/")
        self.authorization = authorization
        self.accept_gzip = accept_gzip
        self.max_bytes = max_bytes
        self.requests = []  # All of them, in the order in which they came.
        self.violations = []  # What no client may ever send; a test expects none.
        self._bulks = 0
        self._script = lambda request: None
        self._item_script = lambda item: None
        self._flowing = threading.Event()
        self._flowing.set()
        self._hung = threading.Event()
        self._closed = False
        self._server = self._listen(port)
        self.port = self._server.server_address[1]
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}{self.prefix}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            if client_authority:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(client_authority)
            # The handshake is left to the connection's own thread: a client may give it up.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _listen(self, port):
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                sink._handle(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request, address):
                pass  # A killed client resets its connections.

        return Server(("127.0.0.1", port or free_port()), Handler)

    # --- What a test says.

    def answer(self, script):
        """`script(request)` gives an Answer, or None for a healthy one. It is asked about every request, bulk
        or not, under the lock, before anything of the request is carried out."""
        with self.lock:
            self._script = script

    def answer_items(self, script):
        """`script(item)` gives what item_error() makes, or None."""
        with self.lock:
            self._item_script = script

    def stall(self):
        """Requests are read and carried out, and then left without an answer until flow()."""
        self._flowing.clear()

    def flow(self):
        """Stalled requests get their answers; connections that hang are closed without one."""
        self._flowing.set()
        with self.lock:
            hung, self._hung = self._hung, threading.Event()
        hung.set()

    def close(self):
        self._closed = True
        self.flow()
        self._server.shutdown()
        self._server.server_close()

    # --- What a test asks.

    def documents(self, index="*"):
        """[{"_index", "_id", "_source"}] of an index, alias, data stream or pattern, as they came."""
        with self.lock:
            return [{"_index": d.index, "_id": d.id, "_source": d.source} for d in self.store.documents(index)]

    def sources(self, index="*"):
        return [document["_source"] for document in self.documents(index)]

    def count(self, index="*"):
        with self.lock:
            return len(self.store.documents(index))

    def bulks(self):
        """The bulk requests."""
        with self.lock:
            return [request for request in self.requests if request.number is not None]

    def setups(self):
        """(method, path) of everything else but GET /. Paths are decoded."""
        with self.lock:
            return [(r.method, r.path) for r in self.requests if r.number is None and r.parts]

    # --- The server.

    @staticmethod
    def _read_body(handler):
        if handler.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        body = b""
        while True:
            size = int(handler.rfile.readline().split(b";")[0], 16)
            body += handler.rfile.read(size)
            handler.rfile.readline()
            if size == 0:
                return body

    def _inflate(self, body, encoding):
        if encoding in ("", "identity"):
            plain = body
        elif encoding == "gzip" and self.accept_gzip:
            try:
                plain = gzip.decompress(body)
            except (OSError, EOFError, zlib.error) as error:
                raise Refused(0, "compressor_exception", f"not gzip: {error}") from None
        else:
            raise Refused(415, "illegal_argument_exception", f"content encoding [{encoding}] is not supported")
        if len(plain) > self.max_bytes:
            raise Refused(413, "content_too_long_exception", f"{len(plain)} bytes, at most {self.max_bytes} are taken")
        return plain

    def _handle(self, handler):
        wire = self._read_body(handler)
        refused, body = None, wire
        try:
            body = self._inflate(wire, handler.headers.get("Content-Encoding", "").strip().lower())
        except Refused as error:
            refused = error
        request = Request(handler, body, len(wire))
        prefix = [part for part in self.prefix.split("/") if part]
        if request.parts[: len(prefix)] == prefix:
            request.parts = request.parts[len(prefix) :]
        else:
            refused = Refused(404, "resource_not_found_exception", f"nothing is at [{request.path}]")
        with self.lock:
            answer = self._carry_out(request, refused)
            hung = self._hung
        if answer.end == "hang":
            hung.wait()
        self._flowing.wait()
        self._send(handler, request, answer)

    def _carry_out(self, request, refused):
        self.requests.append(request)
        parts = request.parts
        is_bulk = request.method in ("POST", "PUT") and len(parts) in (1, 2) and parts[-1] == "_bulk"
        try:
            if is_bulk:
                request.number = self._bulks
                self._bulks += 1
            if refused:
                raise refused
            self._let_in(request)
            if is_bulk:
                self._parse(request, parts[0] if len(parts) == 2 else None)
            return self._healthy(request, self._script(request) or Answer(), is_bulk)
        except Refused as error:
            if is_bulk and error.status not in (401, 404, 413, 415):
                self.violations.append(f"{request.method} {request.path}: {error}")
            # A body that cannot be inflated never gets as far as to an answer.
            return refuse(error.status, error.kind, error.reason) if error.status else Answer(end="hang_up")

    def _let_in(self, request):
        if self.authorization and request.headers.get("authorization") != self.authorization:
            raise Refused(401, "security_exception", "unable to authenticate")

    def _parse(self, request, default_index):
        kind = request.headers.get("content-type", "")
        plain = kind.split(";")[0].strip().lower()
        versioned = plain == "application/vnd.elasticsearch+x-ndjson" and not self.distribution
        if plain != "application/x-ndjson" and not versioned:
            raise Refused(406, "media_type_header_exception", f"Content-Type header [{kind}] is not supported")
        check_query(request.query)
        if "refresh" in request.query:
            self.violations.append("refresh is asked for with a bulk request")
        types = not self.distribution and int(self.version.split(".")[0]) < 8
        request.items = parse_bulk(request.body, default_index, request.query.get("pipeline"), types)
        if request.query.get("require_alias", "false") != "false":
            for item in request.items:
                item.meta.setdefault("require_alias", True)

    def _healthy(self, request, wanted, is_bulk):
        """Completes an answer by what a healthy server would have said, and does what the request says."""
        answer = dataclasses.replace(wanted)
        if not is_bulk:
            if answer.status is None and answer.body is None:
                status, body, headers = answer_setup(self, request)
                answer.status, answer.body, answer.headers = status, body, {**headers, **answer.headers}
        elif answer.store is not False and (answer.status is None or answer.status < 300):
            reply = self._store(request)
            if answer.edit:
                reply = answer.edit(reply)
            if "filter_path" in request.query:
                reply = filter_answer(reply, request.query["filter_path"])
            answer.status = answer.status or 200
            if answer.body is None:
                answer.body = json.dumps(reply).encode()
                answer.headers = {"Content-Type": "application/json", **answer.headers}
        answer.status = answer.status or 200
        answer.body = answer.body or b""
        return answer

    def _store(self, request):
        items, errors = [], False
        for item in request.items:
            try:
                wanted = self._item_script(item)
                if wanted is not None:
                    raise wanted
                item.status, result, document = self.store.apply(item)
                told = {"_index": document.index, "_id": document.id, "_version": document.version, "result": result,
                        "_shards": {"total": 2, "successful": 1, "failed": 0}, "_seq_no": document.order, "_primary_term": 1,
                        "status": item.status}  # fmt: skip
            except Refused as error:
                errors, item.status = True, error.status
                told = {"_index": item.index, "_id": item.id, "status": error.status,
                        "error": _cause(error)}  # fmt: skip
                if error is not wanted:
                    self._note_item(error)
            items.append({item.action: told})
        return {"took": 1, "errors": errors, "items": items}

    def _note_item(self, error):
        """What is wrong with an item in itself, whatever was there before, is the client's fault."""
        if "Duplicate" in error.reason or error.reason.startswith("failed to parse: ") or error.kind.startswith("invalid_index"):
            self.violations.append(str(error))

    def _product_headers(self):
        if self.distribution or tuple(map(int, self.version.split(".")[:2])) < (7, 14):
            return {}
        return {"X-Elastic-Product": "Elasticsearch"}

    def _send(self, handler, request, answer):
        if answer.end in ("hang", "hang_up") or self._closed:
            handler.close_connection = True
            return
        if answer.end == "reset":
            return _reset(handler)
        body = answer.body
        headers = {**self._product_headers(), **answer.headers}
        if "gzip" in request.headers.get("accept-encoding", "") and body and "Content-Encoding" not in headers:
            body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        handler.send_response(answer.status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if request.method == "HEAD":
            body = b""
        if answer.end == "cut":
            handler.wfile.write(body[: len(body) // 2])
            return _reset(handler)
        # Before the client can know it, so that who has the answer finds the status here.
        request.status = answer.status
        try:
            handler.wfile.write(body)
        except OSError:
            request.status = None
            raise


def _reset(handler):
    """Ends the connection by RST, at once."""
    handler.close_connection = True
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())
