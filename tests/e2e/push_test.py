#!/usr/bin/env python3
"""loki_push_api: what others push arrives, whole requests or nothing of them; and requests of every kind are
taken or refused as by the real Promtail, with the same labels, lines and times."""

import gzip
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
import zlib

import harness
from harness import base_config, file_job, free_port, wait_until
from loki import Loki, key
from pusher import JSON, PROTOBUF, PUSH, RAW, entry, field, json_body, number_field, post, protobuf, snappy, stream
from sink import Entry
from writer import RotatingWriter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "differential"))

import records  # noqa: E402

T = 1_700_000_000_123_456_789
RULES = [
    {"action": "drop", "source_labels": ["drop"], "regex": "me"},
    {"source_labels": ["src"], "target_label": "dst"},
    {"source_labels": ["__hid"], "target_label": "hid"},
]


def push_job(port, name="push", **more):
    server = {"http_listen_address": "127.0.0.1", "http_listen_port": port}
    server.update({"grpc_listen_address": "127.0.0.1", "grpc_listen_port": 0})
    return {"job_name": name, "loki_push_api": {"server": server, **more}}


def raw_deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def label_requests():
    texts = ['{a="1"}', '{a="1",}', "{}", "", 'foo{a="1"}', "foo", "{a='1'}", "{a=`1\\n`}", '{a="\\x41\\u00e9\\U0001F600\\101"}']
    texts += ['{a="1"} ', '  { a = "1" ,\n b="2" } ', '{a="1",a="2"}', '{a="x\ny"}', '{a="x\ty"}', '{a.b="1"}', "{a=1}", '{a="1"']
    texts += ['{a=~"1"}', '{__tenant_id__="t9",a="1"}', '{__x="1"}', '{a="",b="1"}', '{9a="1"}', '{a:b="1"}', '{on="1",sum="3"}']
    texts += ['sum{a="1"}', '{a="\\q"}', '{\u00e9="1"}', '{a="1"} # c', '{a="1"} 5', "{,}", '{a="1",,b="2"}', '{"foo",a="1"}']
    texts += ['{a="\\\'"}', "{a='\"'}", '{a="x","b"="y"}', '{job="other",a="1"}', '{a="\u00ff"}', '{src="val"}', '{drop="me"}']
    for number, text in enumerate(texts):
        yield f"labels {text!r}", PUSH, protobuf(text, T, f"labels {number}"), PROTOBUF
    yield "labels that are not UTF-8", PUSH, protobuf(b'{a="\xff"}', T, "x"), PROTOBUF


def protobuf_requests():
    one = stream('{a="1"}', entry(T, "one", [("k", "v"), ("k", "w"), ("e", "")]), entry(-5, ""), entry(T, b"x\ny\xff\n"))
    unknown = field(9, b"zz") + number_field(15, 5) + b"\x79" + bytes(8) + b"\x7d" + bytes(4)
    bodies = {
        "streams": snappy(one + stream('{b="2"}', entry(T + 1, "two"))),
        "nothing": snappy(b""),
        "no entries": snappy(stream('{a="1"}')),
        "unknown fields": snappy(unknown + stream('{a="1"}', entry(T, "unknown") + unknown)),
        "empty": b"",
        "no snappy": b"\xff\xff\xff",
        "no protobuf": snappy(b"\x0a\xff"),
        "wrong type": snappy(b"\x08\x01"),
        "a bad stream among good ones": snappy(one + stream("{a=", entry(T, "bad")) + one),
    }
    for name, body in bodies.items():
        yield f"protobuf: {name}", PUSH, body, PROTOBUF
    good = protobuf('{a="1"}', T, "good")
    for name, more in {"snappy": good, "gzip": gzip.compress(good), "deflate": raw_deflate(good), "zstd": good, "identity": good}.items():
        yield f"protobuf: encoding {name}", PUSH, more, {**PROTOBUF, "Content-Encoding": name}
    yield "tenant", PUSH, good, {**PROTOBUF, "X-Scope-OrgID": "team"}
    yield "another content type", PUSH, good, {"Content-Type": "text/plain"}
    yield "no content type", PUSH, good, {}


def json_requests():
    bodies = [json_body([str(T), "one"], [str(T + 1), "two", {"k": "v", "b": "2"}]), json_body(), json_body([str(T)])]
    bodies += [json_body([str(T), "four", {}, 1]), json_body(["-5", "before 1970"]), json_body([str(T), "x"], labels={})]
    bodies += [json_body([str(T), "x"], labels={"a": 1}), json_body([str(T), "x"], labels={"a": 'q"\n\\\u00e9\x01', "e": ""})]
    for time_text in (T, "abc", "1.5", "", "+5", "99999999999999999999"):
        bodies.append(json_body([time_text, "x"]))
    for line in (5, None):
        bodies.append(json_body([str(T), line]))
    for meta in ({"k": 1}, None, {"k": {"a": "1"}}, "x"):
        bodies.append(json_body([str(T), "x", meta]))
    bodies += [b"", b"{}", b"null", b"[]", b'{"streams":null}', b'{"streams":[]}', b'{"streams":{}}', b'{"streams":[', b'{"Streams":[1]}']
    bodies += [json_body([str(T), "x"], labels={"a.b": "1"}), b'{"streams":[{"stream":null,"values":[]}]}']
    values = b'"values":[["%d","%%s"]]}]}' % T
    bodies += [b'{"streams":[{' + values % b"no labels", b'{"streams":[{"stream":{"a":"1","a":"2"},' + values % b"x"]
    bodies += [b'{"x":1,"streams":[{"y":{},"stream":{"a":"1"},' + values % b"\\u00e9\\ud83d\\ude00\\/\\b"]
    bodies += [b'{"streams":[{' + values % b"\\ud800", b'{"streams":[{' + values % b"\x01"]
    for body in bodies:
        yield f"JSON: {body[:90]}", PUSH, body, JSON
    good = json_body([str(T), "good"])
    for name, body in {"gzip": gzip.compress(good), "deflate": raw_deflate(good), "snappy": snappy(good), "GZIP": gzip.compress(good)}.items():
        yield f"JSON: encoding {name}", PUSH, body, {**JSON, "Content-Encoding": name}
    yield "JSON: no gzip", PUSH, b"none", {**JSON, "Content-Encoding": "gzip"}
    yield "JSON: in capitals, with a character set", PUSH, good, {"Content-Type": "Application/JSON; charset=utf-8"}


def other_requests():
    for body in (b"one\n\ntwo\r\n\r\n  three  \nlast", b"", b"bad\xff\x00z\n", b"a\r\r\n\rb\n"):
        yield f"raw: {body}", RAW, body, {}
    for path in ("/", "/metrics", "/promtail/api/v1/push", "/api/prom/push"):
        yield path, path, b"", {}


# What we do better, or in another way on purpose: see discovery/README.md.
DIFFERENT = {
    # 204 there, and the streams behind the one that is dropped are lost.
    "a dropped stream among others": (PUSH, snappy(stream('{a="1"}', entry(T, "1")) + stream('{drop="me"}', entry(T, "2")) + stream('{a="1"}', entry(T, "3"))), PROTOBUF),
    # 204 there, although the end is missing.
    "gzip cut short": (PUSH, gzip.compress(json_body([str(T), "cut"]))[:-6], {**JSON, "Content-Encoding": "gzip"}),
    # The year 1 there.
    "no time": (PUSH, protobuf('{a="1"}', None, "no time"), PROTOBUF),
    # Bytes of gzip as a line there.
    "raw, compressed": (RAW, gzip.compress(b"raw\n"), {"Content-Encoding": "gzip"}),
}


class Target:
    """A program with loki_push_api, and what it sends on."""

    def __init__(self, test, name, binary):
        self.sink = test.sink_of(records.decode)
        self.port = free_port()
        job = push_job(self.port, labels={"job": "conf", "__hid": "h"}, use_incoming_timestamp=True)
        job["relabel_configs"] = RULES
        config = base_config(test.dir / name, self.sink.url, [job])
        (test.dir / name).mkdir()
        self.process = harness.Agent(test.dir / name, config, binary=binary)
        test.agents.append(self.process)
        wait_until(f"{name} is ready", self.ready)

    def ready(self):
        self.process.check_running()
        try:
            return post(self.port, "/ready", None, {}, "GET").status == 200
        except OSError:
            return False

    def send(self, path, body, headers):
        return post(self.port, path, body, headers).status

    def entries(self):
        with self.sink.lock:
            found = [(push, each) for push in self.sink.pushes for each in push.entries]
        now = time.time_ns()
        out = []
        for push, each in found:
            tenant = {name.lower(): value for name, value in push.headers.items()}.get("x-scope-orgid", "")
            out.append((each.labels, tenant, "now" if abs(now - each.ts) < 600 * 10**9 else each.ts, each.line, each.meta))
        return sorted(out, key=repr)


class SameAsPromtailTest(harness.TestCase):
    def sink_of(self, decode):
        from sink import Sink

        sink = Sink(decode=decode)
        self.addCleanup(sink.close)
        return sink

    def both(self):
        promtail = harness.build_server("promtail")
        return Target(self, "promtail", promtail), Target(self, "agent", harness.AGENT)

    def test_every_kind_of_request(self):
        theirs, ours = self.both()
        requests = [*label_requests(), *protobuf_requests(), *json_requests(), *other_requests()]

        for title, *request in requests:
            with self.subTest(title):
                self.assertEqual(ours.send(*request), theirs.send(*request))
        # Both keep the order of requests: the last line says that all before it has come.
        for target in (theirs, ours):
            self.assertEqual(post(target.port, RAW, b"the end", {}).status, 204)
            wait_until("the end comes", lambda t=target: any(e[3] == b"the end" for e in t.entries()))
            self.assertEqual(target.process.stop()[0], 0)

        self.assertGreater(len(requests), 90)
        self.assertGreater(len(theirs.entries()), 45)
        self.assertEqual(ours.entries(), theirs.entries())

    def test_differences_are_those_that_are_documented(self):
        theirs, ours = self.both()
        for title, request in DIFFERENT.items():
            with self.subTest(title):
                before = [len(target.entries()) for target in (theirs, ours)]
                statuses = [target.send(*request) for target in (theirs, ours)]
                self.assertEqual(statuses[0], 204)
                self.assertEqual(statuses[1], 400 if title == "gzip cut short" else 204)
                for target in (theirs, ours):
                    mark = f"mark {title}".encode()
                    self.assertEqual(post(target.port, RAW, mark, {}).status, 204)
                    wait_until("the mark comes", lambda t=target, m=mark: any(e[3] == m for e in t.entries()))
                came = [len(target.entries()) - count - 1 for target, count in zip((theirs, ours), before)]
                want = {"a dropped stream among others": [1, 2], "gzip cut short": [1, 0]}.get(title, [1, 1])
                self.assertEqual(came, want)
        lines = {entry[3]: entry[2] for entry in ours.entries()}
        self.assertEqual(lines[b"no time"], "now")
        self.assertIn(b"raw", lines)


class PushTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.receiver = self.sink()

    def start_push(self, **more):
        config = base_config(self.dir, self.receiver.url, [push_job(self.port, **more)])
        agent = self.start(config, name="push").wait_ready()
        wait_until("it listens", lambda: self.answers())
        return agent

    def answers(self):
        try:
            return post(self.port, "/ready", None, {}, "GET").status == 200
        except OSError:
            return False

    def wait_lines(self, want):
        def missing():
            have = set(self.receiver.lines())
            return f"{len(set(want) - have)} of {len(want)} are missing"

        wait_until(missing, lambda: len(self.receiver.lines()) >= len(want), 60, pause=0.1)
        self.assertEqual(sorted(self.receiver.lines()), sorted(want))

    def test_one_agent_into_another(self):
        self.start_push(labels={"via": "push"}, use_incoming_timestamp=True)
        writer = RotatingWriter(self.dir / "app.log")
        (self.dir / "first").mkdir()
        job = file_job(self.dir / "app.log", stages=[{"static_labels": {"stage": "first"}}])
        config = base_config(self.dir / "first", f"http://127.0.0.1:{self.port}{PUSH}", [job])
        first = harness.Agent(self.dir / "first", config)
        self.agents.append(first)

        begin = time.time_ns()
        for _ in range(10):
            writer.write(2000)
        tally = self.wait_complete(self.agents[0], self.receiver, writer)

        self.assertEqual(tally.repeats(), 0)
        for each in self.receiver.taken():
            self.assertEqual({name: each.labels[name] for name in ("via", "stage", "job")}, {"via": "push", "stage": "first", "job": "test"})
            self.assertTrue(begin <= each.ts <= time.time_ns())
        self.assertEqual(first.stop()[0], 0)
        self.assertEqual(self.agents[0].stop()[0], 0)

    def test_into_a_real_loki(self):
        loki = Loki(self.dir)
        self.addCleanup(loki.stop)
        loki.wait_ready()
        self.receiver.url = loki.url
        agent = self.start_push(labels={"job": "pushed"}, use_incoming_timestamp=True)
        base = time.time_ns() - 600 * 10**9
        want = []
        for number in range(2000):
            text, meta = f'{number} na\u00efve "\\\ttab', {"trace_id": f"{number:032x}"}
            want.append(Entry({"job": "pushed", "a": str(number % 3)}, base + number, text, meta))
        for at in range(0, len(want), 500):
            if at % 1000:
                streams = [{"stream": {"a": each.labels["a"]}, "values": [[str(each.ts), each.line, each.meta]]} for each in want[at : at + 500]]
                answer = post(self.port, PUSH, json.dumps({"streams": streams}), JSON)
            else:
                streams = [stream('{a="%s"}' % each.labels["a"], entry(each.ts, each.line, each.meta.items())) for each in want[at : at + 500]]
                answer = post(self.port, PUSH, snappy(b"".join(streams)), PROTOBUF)
            self.assertEqual(answer.status, 204)

        def query():
            return loki.query('{job="pushed"}', base - 1, base + 10**9)

        wait_until("all is there", lambda: len(query()) >= len(want), 60, pause=0.2)
        self.assertEqual(agent.stop()[0], 0)
        self.assertEqual(sorted(query(), key=key), sorted(want, key=key))

    def test_a_full_queue_refuses_whole_requests(self):
        agent = self.start_push(labels={"job": "push"})
        self.receiver.stall()
        taken, refused = [], 0
        batch = 0
        while refused < 5 and batch < 400:
            lines = [os.urandom(2000).hex() for _ in range(200)]  # Nothing that could be compressed.
            answer = post(self.port, PUSH, json_body(*([str(T), line] for line in lines)), JSON)
            if answer.status == 204:
                taken += lines
            else:
                self.assertEqual((answer.status, answer.headers.get("retry-after")), (503, "1"))
                refused += 1
            batch += 1
        self.assertEqual(refused, 5)
        self.assertGreater(len(taken), 400)
        if not harness.SANITIZED:
            self.assertLess(agent.rss_kib(), 120 * 1024)

        self.receiver.flow()
        self.wait_lines(taken)
        self.assertGreaterEqual(agent.metrics().sum("agent_push_requests_total", status="503"), 5)
        self.assertEqual(agent.stop()[0], 0)

    def test_huge_bodies_are_refused_in_bounded_memory(self):
        agent = self.start_push(labels={"job": "push"})
        before = agent.rss_kib()
        large = json_body([str(T), "x" * (5 << 20)])
        bomb = gzip.compress(b" " * (1 << 30), 9)
        many = snappy(stream("{}", *[b""] * 1_500_000))

        self.assertEqual(post(self.port, PUSH, large, JSON).status, 413)
        self.assertEqual(post(self.port, PUSH, bomb, {**JSON, "Content-Encoding": "gzip"}).status, 413)
        self.assertEqual(post(self.port, PUSH, many, PROTOBUF).status, 413)
        self.assertEqual(post(self.port, PUSH, json_body([str(T), "after"]), JSON).status, 204)

        self.wait_lines(["after"])
        if not harness.SANITIZED:
            self.assertLess(agent.rss_kib() - before, 64 * 1024)
        self.assertGreaterEqual(agent.metrics().sum("agent_push_requests_total", status="413"), 3)

    def test_what_was_taken_is_delivered_before_a_stop(self):
        agent = self.start_push(labels={"job": "push"})
        self.receiver.stall()
        lines = [f"line {number}" for number in range(5000)]
        for at in range(0, len(lines), 500):
            self.assertEqual(post(self.port, RAW, "\n".join(lines[at : at + 500]), {}).status, 204)
        agent.process.send_signal(signal.SIGTERM)
        wait_until("it does not listen any more", lambda: not self.answers())
        self.receiver.flow()

        self.assertEqual(agent.process.wait(20), 0)
        self.assertEqual(sorted(self.receiver.lines()), sorted(lines))

    def test_a_reload_loses_nothing_that_was_taken(self):
        agent = self.start_push(labels={"version": "0"})
        taken, stop = [], threading.Event()

        def push():
            while not stop.is_set():
                line = f"line {len(taken)}"
                try:
                    if post(self.port, RAW, line, {}).status == 204:
                        taken.append(line)
                except OSError:
                    stop.wait(0.01)  # While one server ends and the next begins.

        pusher = threading.Thread(target=push)
        pusher.start()
        wait_until("something is taken", lambda: len(taken) > 20)
        for version in ("1", "2", "3"):
            config = base_config(self.dir, self.receiver.url, [push_job(self.port, labels={"version": version})])
            config["server"]["http_listen_port"] = agent.port
            agent.write_config(config)
            agent.process.send_signal(signal.SIGHUP)
            wait_until("the reload is done", lambda v=version: agent.metrics().sum("promtail_config_reload_success_total") >= int(v))
            count = len(taken)
            wait_until("more is taken", lambda c=count: len(taken) > c + 20)
        stop.set()
        pusher.join()

        wait_until("all has come", lambda: set(taken) <= set(self.receiver.lines()))
        # What was taken when the connection broke, before the answer, may be there twice.
        self.assertLessEqual(len(self.receiver.lines()) - len(taken), 3)
        self.assertEqual({each.labels["version"] for each in self.receiver.taken()}, {"0", "1", "2", "3"})
        self.assertEqual(agent.stop()[0], 0)

    def test_https_with_a_client_certificate(self):
        cert, key = self.dir / "cert.pem", self.dir / "key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
        subprocess.run(command, check=True, capture_output=True)
        job = push_job(self.port, labels={"job": "push"})
        tls = {"cert_file": str(cert), "key_file": str(key), "client_ca_file": str(cert), "client_auth_type": "RequireAndVerifyClientCert"}
        job["loki_push_api"]["server"]["http_tls_config"] = tls
        agent = self.start(base_config(self.dir, self.receiver.url, [job])).wait_ready()
        without = ssl.create_default_context(cafile=str(cert))
        known = ssl.create_default_context(cafile=str(cert))
        known.load_cert_chain(cert, key)

        def push(context, line):
            request = urllib.request.Request(f"https://127.0.0.1:{self.port}{RAW}", data=line, method="POST")
            return urllib.request.urlopen(request, context=context, timeout=10).status

        self.assertEqual(wait_until("it listens", lambda: push(known, b"known")), 204)
        with self.assertRaises(OSError):
            push(without, b"stranger")
        with self.assertRaises(OSError):
            post(self.port, RAW, b"plain", {})
        self.wait_lines(["known"])
        self.assertEqual(agent.stop()[0], 0)

    def test_a_port_that_is_taken_is_tried_again(self):
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", self.port))
        taken.listen()
        agent = self.start(base_config(self.dir, self.receiver.url, [push_job(self.port)]))
        wait_until("it says so", lambda: "loki_push_api cannot listen" in agent.log())
        shown = json.loads(harness.http_get(f"http://127.0.0.1:{agent.port}/targets", headers={"Accept": "application/json"})[1])
        self.assertIn("Address already in use", json.dumps(shown))
        self.assertEqual(agent.get("/ready")[0], 503)
        taken.close()
        wait_until("it listens", self.answers)
        self.assertEqual(agent.get("/ready")[0], 200)


if __name__ == "__main__":
    harness.main()
