#!/usr/bin/env python3
"""`agent convert`: what is made of Filebeat's configuration ships the documents that Filebeat ships, what is
made of Promtail's runs, and whatever has no equivalent is named with its place."""

import os
import re
import subprocess

import harness
from bulk_sink import BulkSink
from harness import wait_until
from lumberjack_sink import LumberjackSink

# In every document, and not the same in each run or each program.
OWN = ("host", "agent", "ecs", "@metadata", "@timestamp", "log")

TO_LOGSTASH = """
filebeat.inputs:
  - type: log
    id: json
    paths: ["{dir}/app-*.log"]
    exclude_files: ['\\.gz$']
    fields: {{service: shop, tier: 2}}
    tags: [app]
    json.keys_under_root: true
    json.add_error_key: true
    processors:
      - drop_event:
          when:
            or:
              - equals: {{level: debug}}
              - range: {{http.status: {{gte: 300, lt: 400}}}}
      - rename: {{fields: [{{from: lvl, to: log.level}}]}}
  - type: filestream
    id: traces
    paths: ["{dir}/traces.log"]
    parsers:
      - multiline: {{type: pattern, pattern: '^\\s', negate: false, match: after, timeout: 300ms}}
    exclude_lines: ['^DBG']
    fields.kind: ${{KIND:trace}}
    fields_under_root: true
    processors:
      - add_labels: {{labels: {{team: core}}}}
tags: [all]
output.logstash:
  hosts: ["{address}"]
http: {{enabled: true, port: 0}}
path.data: {dir}/state
"""

TO_ELASTICSEARCH = """
filebeat:
  inputs:
    - type: log
      paths: {dir}/access.log
      multiline: {{pattern: '^\\d', negate: true, match: after, timeout: 300ms}}
      include_lines: [' GET ', ' POST ']
      processors:
        - dissect:
            tokenizer: '%{{client}} - %{{verb}} %{{path}} %{{status|integer}}'
            field: message
            target_prefix: http
        - drop_event.when.equals.http.path: /healthz
        - add_fields: {{target: '', fields: {{cluster: eu}}}}
        - add_fields:
            target: alert
            fields: {{bad: true}}
            when.range.http.status.gte: 500
        - drop_fields: {{fields: [log.file]}}
output.elasticsearch:
  hosts: ["{url}"]
  index: "access-%{{[fields.env]}}-%{{+yyyy.MM.dd}}"
  compression_level: 0
setup.template.enabled: false
fields: {{env: prod}}
http: {{enabled: true, port: 0}}
path.data: {dir}/state
"""

CONTAINERS = """
filebeat.inputs: [{{type: container, paths: ["{dir}/c-*.log"], exclude_files: ['c-old.*log', '\.tmp$']}}]
output.logstash.hosts: ["{address}"]
http: {{enabled: true, port: 0}}
path.data: {dir}/state
"""

PROMTAIL = """# what is read
server:
  http_listen_port: 0
  grpc_listen_port: 0   # nothing
positions: {{filename: {dir}/positions.yaml}}
client:
  url: {url}
scrape_configs:
  - job_name: bus
    kafka: {{brokers: [a]}}
  - job_name: files
    static_configs:
      - labels: {{job: a, __path__: {dir}/*.log}}
"""


def without(document, *names):
    return {name: value for name, value in document.items() if name not in names}


class ConvertTest(harness.TestCase):
    def convert(self, kind, text, *flags, code=0):
        path = self.dir / f"{kind}.yml"
        path.write_text(text)
        result = subprocess.run(
            [harness.AGENT, "convert", kind, str(path), *flags], capture_output=True, text=True, timeout=60, env=os.environ
        )
        self.assertEqual(result.returncode, code, result.stderr)
        return result

    def load(self, text):
        """What is wrong with it."""
        path = self.dir / "out.yaml"
        path.write_text(text)
        args = [harness.AGENT, "-config.file", str(path), "-check-syntax", "-config.expand-env"]
        result = subprocess.run(args, capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 0, text + result.stdout)

    def test_documents_for_logstash_are_filebeats(self):
        sink = LumberjackSink(check_events=True)
        self.addCleanup(sink.close)
        app = self.dir / "app-1.log"
        lines = [
            b'{"level":"info","msg":"up","http":{"status":200},"lvl":"warn"}\n',
            b'{"level":"debug","msg":"noise"}\n',
            b'{"level":"info","http":{"status":302}}\n',
            b'{"message":"theirs","n":1.5}\n',
            b"no json\n",
            b"\n",
        ]
        app.write_bytes(b"".join(lines))
        (self.dir / "app-2.log.gz").write_bytes(b"no log\n")
        (self.dir / "traces.log").write_bytes(b"Exception\n  at one\n  at two\nDBG x\nnext\n")
        converted = self.convert("filebeat", TO_LOGSTASH.format(dir=self.dir, address=sink.address))
        self.load(converted.stdout)
        self.start(converted.stdout, args=["-config.expand-env=true"])
        wait_until(lambda: f"5 events, there are {len(sink.received())}", lambda: len(sink.received()) >= 5)

        got = {}
        for event in sink.received():
            got.setdefault(event["log"]["file"]["path"], []).append((event["log"]["offset"], event))
        first = [(offset, without(event, *OWN)) for offset, event in sorted(got[str(app)])]
        json_fields = {"fields": {"service": "shop", "tier": 2}, "tags": ["app", "all"], "input": {"type": "log"}}
        self.assertEqual(
            first,
            [
                (0, {**json_fields, "level": "info", "msg": "up", "http": {"status": 200}}),
                (sum(map(len, lines[:3])), {**json_fields, "message": "theirs", "n": 1.5}),
                (
                    sum(map(len, lines[:4])),
                    {**json_fields, "message": "no json", "error": {"message": "the line is no JSON object", "type": "json"}},
                ),
            ],
        )
        self.assertEqual(got[str(app)][0][1]["log"].get("level"), "warn")
        second = [(offset, without(event, *OWN)) for offset, event in sorted(got[str(self.dir / "traces.log")])]
        trace_fields = {"kind": "trace", "tags": ["all"], "input": {"type": "filestream"}, "labels": {"team": "core"}}
        self.assertEqual(
            second,
            [(0, {**trace_fields, "message": "Exception\n  at one\n  at two"}), (34, {**trace_fields, "message": "next"})],
        )
        self.assertEqual({event["@metadata"]["beat"] for event in sink.received()}, {"filebeat"})
        self.assertEqual(sink.violations, [])

    def test_documents_for_elasticsearch_are_filebeats(self):
        sink = BulkSink()
        self.addCleanup(sink.close)
        (self.dir / "access.log").write_bytes(
            b"10.0.0.1 - GET /a 200\n10.0.0.2 - GET /healthz 200\n10.0.0.3 - PUT /b 200\n10.0.0.4 - POST /c 503\n  more\n"
        )
        converted = self.convert("filebeat", TO_ELASTICSEARCH.format(dir=self.dir, url=sink.url))
        self.load(converted.stdout)
        self.start(converted.stdout)
        wait_until(lambda: f"2 documents, there are {len(sink.documents())}", lambda: len(sink.documents()) >= 2)

        documents = sorted(sink.documents(), key=lambda document: document["_source"]["log"]["offset"])
        fields = {"fields": {"env": "prod"}, "cluster": "eu", "input": {"type": "log"}}
        sources = [without(document["_source"], *OWN) for document in documents]
        self.assertEqual(sources[0], {**fields, "message": "10.0.0.1 - GET /a 200", "http": {"client": "10.0.0.1", "verb": "GET", "path": "/a", "status": 200}})
        self.assertEqual(sources[1]["message"], "10.0.0.4 - POST /c 503\n  more")
        self.assertEqual([document["_source"]["log"] for document in documents], [{"offset": 0}, {"offset": 72}])
        for document in documents:
            self.assertRegex(document["_index"], r"^access-prod-\d{4}\.\d\d\.\d\d$")
        self.assertEqual(sink.violations, [])

    def test_containers_files_are_unwrapped(self):
        sink = LumberjackSink(check_events=True)
        self.addCleanup(sink.close)
        (self.dir / "c-old.log").write_text("old\n")
        (self.dir / "c-docker.log").write_text(
            '{"log":"one\\n","stream":"stdout","time":"2026-05-06T07:08:09.1Z"}\n'
            '{"log":"\\n","stream":"stdout","time":"2026-05-06T07:08:09.15Z"}\n'
            '{"log":"two\\n","stream":"stderr","time":"2026-05-06T07:08:09.2Z"}\n'
        )
        (self.dir / "c-cri.log").write_text("2026-05-06T07:08:09.3Z stdout P thr\n2026-05-06T07:08:09.4Z stdout F ee\n")
        text = CONTAINERS.format(dir=self.dir, address=sink.address)
        self.start(self.convert("filebeat", text).stdout)
        wait_until(lambda: f"3 events, there are {len(sink.received())}", lambda: len(sink.received()) >= 3)
        events = sorted(sink.received(), key=lambda event: event["@timestamp"])
        self.assertEqual([event["@timestamp"][:21] for event in events], ["2026-05-06T07:08:09.1", "2026-05-06T07:08:09.2", "2026-05-06T07:08:09.4"])
        self.assertEqual(
            [without(event, *OWN) for event in events],
            [{"message": line, "stream": stream, "input": {"type": "container"}} for line, stream in (("one", "stdout"), ("two", "stderr"), ("three", "stdout"))],
        )  # fmt: skip
        self.assertEqual(sink.violations, [])

    def test_what_has_no_equivalent_is_named_with_its_place(self):
        text = "filebeat.inputs:\n- type: kafka\n- type: log\n  paths: [/a]\n  made.up: 1\noutput.logstash.hosts: [a]\n"
        result = self.convert("filebeat", text, code=3)
        self.assertRegex(result.stderr, r"(?m)filebeat\.yml:2:3: filebeat\.inputs\[0\]: no equivalent: ")
        self.assertRegex(result.stderr, r"(?m)filebeat\.yml:5:3: filebeat\.inputs\[1\]\.made: no equivalent: ")
        self.assertNotIn("\x1b", result.stderr)
        self.load(result.stdout)

    def test_promtails_configuration_keeps_its_lines_and_runs(self):
        sink = self.sink()
        (self.dir / "a.log").write_text("one\ntwo\n")
        text = PROMTAIL.format(dir=self.dir, url=sink.url)
        result = self.convert("promtail", text, "--", "-log.level=warn", code=3)
        self.assertRegex(result.stderr, r"promtail\.yml:4:3: server\.grpc_listen_port: no effect")
        self.assertRegex(result.stderr, r"scrape_configs\[0\]\.kafka: no equivalent")
        kept = [line for line in text.splitlines() if not re.search("grpc|client|url|kafka|bus", line)]
        self.assertEqual([line for line in result.stdout.splitlines() if line in kept], kept)
        self.start(result.stdout)
        wait_until("two lines", lambda: sink.taken_count() >= 2)

    def test_arguments_are_checked(self):
        for args, code in (([], 2), (["fluentd", "x"], 2), (["promtail"], 2), (["promtail", "a", "b"], 2), (["filebeat", "/nowhere"], 1), (["promtail", "/dev/null", "--", "-made.up"], 2), (["-help"], 0)):  # fmt: skip
            with self.subTest(args):
                result = subprocess.run([harness.AGENT, "convert", *args], capture_output=True, text=True, timeout=60)
                self.assertEqual(result.returncode, code, result.stderr)
        result = subprocess.run([harness.AGENT, "convert", "filebeat", "-"], input="a: [", capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertIn("-:1:", result.stderr)


if __name__ == "__main__":
    harness.main()
