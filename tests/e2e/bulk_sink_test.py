#!/usr/bin/env python3
"""The strict bulk sink itself: what it takes, what it refuses, and that it fails as it is told."""

import concurrent.futures
import http.client
import json
import socket
import ssl

import harness
from bulk_cases import DOC, NDJSON, STREAM_TEMPLATE, cases, create, ndjson, outcome, post, statuses, stream_cases
from bulk_sink import Answer, BulkSink, item_error, refuse
from certificates import make_certificate
from harness import wait_until

HEADERS = {"Content-Type": NDJSON}


def put(url, path, body):
    return post(url, path, json.dumps(body).encode(), {"Content-Type": "application/json"}, "PUT")


class BulkSinkTest(harness.TestCase):
    def sink(self, **more):
        sink = BulkSink(**more)
        self.addCleanup(sink.close)
        return sink

    def send(self, sink, body, query="", **headers):
        return post(sink.url, f"/_bulk{query}", body, {**HEADERS, **headers})

    def test_takes_and_refuses_what_elasticsearch_does(self):
        sink = self.sink()
        self.assertEqual(put(sink.url, "/_index_template/stream", STREAM_TEMPLATE)[0], 200)
        for case in cases() + stream_cases():
            with self.subTest(case.name):
                self.assertEqual(outcome(sink.url, case), case.want)

    def test_keeps_documents_and_names_violations(self):
        sink = self.sink()
        self.send(sink, create("a", DOC, _id="1") + create("b", {"n": 1}, _id="2") + create("a", {"n": 2}))
        self.assertEqual([d["_id"] for d in sink.documents()][:2], ["1", "2"])
        self.assertEqual(sink.sources("a"), [DOC, {"n": 2}])
        self.assertEqual(sink.count("b"), 1)
        self.assertEqual(sink.violations, [])
        self.send(sink, create("a", DOC)[:-1])
        self.send(sink, create("a", b'{"x":1,"x":2}'))
        self.assertEqual(len(sink.violations), 2)

    def test_filter_path_loses_positions_unless_status_is_selected(self):
        sink = self.sink()
        good, bad = create("a", DOC, _id="1"), create("a", DOC, _id="1")
        path = "?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason"
        answer = self.send(sink, good + bad, path)[2]
        self.assertEqual(answer["errors"], True)
        self.assertEqual(answer["items"][0], {"create": {"status": 201}})
        self.assertEqual(answer["items"][1]["create"]["error"]["type"], "version_conflict_engine_exception")
        self.assertEqual(len(self.send(sink, bad + create("a", DOC), "?filter_path=items.*.error")[2]["items"]), 1)
        self.assertEqual(self.send(sink, create("a", DOC), "?filter_path=items.*.error")[2], {})

    def test_single_documents_fail_as_told(self):
        sink = self.sink()
        wanted = {"2": item_error(429), "3": item_error(403), "4": item_error(400, reason="so it is")}
        sink.answer_items(lambda item: wanted.get(item.id))
        body = b"".join(create("a", {"n": n}, _id=str(n)) for n in range(1, 6))
        answer = self.send(sink, body)[2]
        self.assertEqual(statuses(answer), [201, 429, 403, 400, 201])
        self.assertEqual(answer["items"][2]["create"]["error"]["type"], "cluster_block_exception")
        sink.answer_items(lambda item: None)
        self.assertEqual(statuses(self.send(sink, body)[2]), [409, 201, 201, 201, 409])
        self.assertEqual([item.status for item in sink.bulks()[0].items], [201, 429, 403, 400, 201])

    def test_whole_requests_fail_as_told(self):
        sink = self.sink()
        script = [
            refuse(429, Retry_After=7),
            Answer(body=b""),
            Answer(body=b"<html>", headers={"Content-Type": "text/html"}),
            Answer(edit=lambda reply: {**reply, "items": reply["items"][:-1]}),
            Answer(307, headers={"Location": "/elsewhere"}),
        ]
        sink.answer(lambda request: script[request.number] if request.number < len(script) else None)
        one = create("a", DOC, _id="1")
        status, headers, answer = self.send(sink, one)
        self.assertEqual((status, headers["Retry-After"], answer["status"]), (429, "7", 429))
        self.assertEqual(sink.count(), 0)
        self.assertEqual(self.send(sink, one)[::2], (200, b""))
        self.assertEqual(sink.count(), 1)
        self.assertEqual(self.send(sink, one)[2], b"<html>")
        self.assertEqual(statuses(self.send(sink, one + create("a", DOC))[2]), [409])
        status, headers, _ = self.send(sink, one)
        self.assertEqual((status, headers["Location"]), (307, "/elsewhere"))
        self.assertEqual(statuses(self.send(sink, one)[2]), [409])
        self.assertEqual([request.status for request in sink.bulks()], [429, 200, 200, 200, 307, 200])

    def test_connections_end_as_told(self):
        sink = self.sink()
        ends = ["reset", "hang_up", "cut"]
        sink.answer(lambda request: Answer(end=ends[request.number], store=True))
        for end, error in zip(ends, (ConnectionResetError, http.client.RemoteDisconnected, ConnectionResetError)):
            with self.subTest(end), self.assertRaises(error):
                self.send(sink, create("a", DOC, _id=end))
        self.assertEqual(sink.count(), 3)
        self.assertEqual([request.status for request in sink.bulks()], [None] * 3)

    def test_hangs_and_stalls_until_it_flows(self):
        sink = self.sink()
        sink.stall()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(self.send, sink, create("a", DOC))
            wait_until("it is stored", lambda: sink.count() == 1)
            self.assertFalse(waiting.done())
            sink.flow()
            self.assertEqual(statuses(waiting.result(10)[2]), [201])
            sink.answer(lambda request: Answer(end="hang") if request.number == 1 else None)
            waiting = pool.submit(self.send, sink, create("a", DOC))
            wait_until("it came", lambda: len(sink.bulks()) == 2)
            self.assertEqual(statuses(self.send(sink, create("a", DOC))[2]), [201])
            sink.flow()
            self.assertRaises(http.client.RemoteDisconnected, waiting.result, 10)

    def test_tells_what_it_is(self):
        status, headers, about = post(self.sink(version="8.17.0").url, "/", None, {}, "GET")
        self.assertEqual((status, headers["X-Elastic-Product"]), (200, "Elasticsearch"))
        self.assertEqual(about["version"]["number"], "8.17.0")
        _, headers, about = post(self.sink(version="2.19.1", distribution="opensearch").url, "/", None, {}, "GET")
        self.assertNotIn("X-Elastic-Product", headers)
        self.assertEqual(about["version"]["distribution"], "opensearch")
        old = self.sink(version="6.8.23")
        self.assertEqual(statuses(self.send(old, create("a", DOC, _type="_doc"))[2]), [201])

    def test_keeps_what_is_set_up(self):
        sink = self.sink()
        url = sink.url
        self.assertEqual(put(url, "/_ilm/policy/p", {"policy": {}})[0], 200)
        self.assertEqual(post(url, "/_index_template/t", None, {}, "GET")[0], 404)
        mappings = {"date_detection": False, "properties": {"n": {"type": "long"}}}
        put(url, "/_index_template/t", {"index_patterns": ["logs-*"], "template": {"mappings": mappings}})
        self.assertEqual(post(url, "/_index_template/t", None, {}, "GET")[0], 200)
        self.assertEqual(post(url, "/_alias/logs", None, {}, "HEAD")[0], 404)
        path = "/%3Clogs-%7Bnow%2Fd%7D-000001%3E"
        status, _, answer = put(url, path, {"aliases": {"logs": {"is_write_index": True}}})
        self.assertEqual(status, 200)
        self.assertRegex(answer["index"], r"^logs-\d{4}\.\d\d\.\d\d-000001$")
        self.assertEqual(put(url, path, {})[2]["error"]["type"], "resource_already_exists_exception")
        self.assertEqual(post(url, "/_alias/logs", None, {}, "HEAD")[0], 200)
        body = create("logs", {"n": "x"}, require_alias=True) + create("logs", {"d": "2024-05-01"}) + create("logs", {"d": "x"})
        self.assertEqual(statuses(self.send(sink, body)[2]), [400, 201, 201])
        self.assertEqual(post(url, "/logs/_rollover", b"", {})[2]["new_index"][-6:], "000002")
        self.assertEqual(sink.setups()[0], ("PUT", "/_ilm/policy/p"))
        self.assertEqual(put(url, "/_plugins/_ism/policies/p", {})[0], 400)
        opensearch = self.sink(distribution="opensearch")
        self.assertEqual(put(opensearch.url, "/_plugins/_ism/policies/p", {})[0], 201)
        self.assertEqual(sink.violations, [])

    def test_lets_in_whom_it_knows(self):
        sink = self.sink(prefix="/es", authorization="ApiKey eA==", max_bytes=1000, accept_gzip=False)
        self.assertEqual(self.send(sink, create("a", DOC))[0], 401)
        self.assertEqual(self.send(sink, create("a", DOC), Authorization="ApiKey eA==")[0], 200)
        known = {**HEADERS, "Authorization": "ApiKey eA=="}
        root = sink.url[: -len("/es")]
        self.assertEqual(post(root, "/_bulk", create("a", DOC), known)[0], 404)
        self.assertEqual(post(sink.url, "/_bulk", create("a", {"m": "x" * 1000}), known)[0], 413)
        self.assertEqual(post(sink.url, "/_bulk", b"", {**known, "Content-Encoding": "gzip"})[0], 415)
        self.assertEqual(sink.count(), 1)

    def test_speaks_tls(self):
        cert, key = make_certificate(self.dir, "other", "DNS:other.example")
        sink = self.sink(certificate=(cert, key))
        context = ssl.create_default_context(cafile=cert)
        with socket.create_connection(("127.0.0.1", sink.port)) as plain, self.assertRaises(ssl.SSLCertVerificationError):
            context.wrap_socket(plain, server_hostname="localhost")
        context.check_hostname = False
        connection = http.client.HTTPSConnection("127.0.0.1", sink.port, context=context, timeout=10)
        self.addCleanup(connection.close)
        sink.answer(lambda request: Answer(end="reset") if request.number == 1 else None)
        connection.request("POST", "/_bulk", create("a", DOC), HEADERS)
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.read()[:6]), (200, b'{"took'))
        connection.request("POST", "/_bulk", create("a", DOC), HEADERS)
        self.assertRaises((ConnectionResetError, ssl.SSLError), connection.getresponse)

    def test_decodes_chunks_and_answers_in_gzip(self):
        sink = self.sink()
        body = ndjson({"create": {"_index": "a"}}, DOC)
        connection = http.client.HTTPConnection("127.0.0.1", sink.port, timeout=10)
        self.addCleanup(connection.close)
        headers = {**HEADERS, "Accept-Encoding": "gzip", "Transfer-Encoding": "chunked"}
        connection.request("POST", "/_bulk", iter([body[:10], body[10:]]), headers, encode_chunked=True)
        answer = connection.getresponse()
        self.assertEqual(answer.headers["Content-Encoding"], "gzip")
        self.assertEqual(answer.read()[:2], b"\x1f\x8b")
        self.assertEqual(sink.sources("a"), [DOC])


if __name__ == "__main__":
    harness.main()
