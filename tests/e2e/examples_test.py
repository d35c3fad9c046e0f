#!/usr/bin/env python3
"""Every example: its pipeline tests pass, its sample goes through it, and where it has
`documents.ndjson`, that is what its receiver gets."""

import json
import os
import shutil
import socket
import subprocess

import harness
from bulk_sink import BulkSink
from harness import wait_until
from lumberjack_sink import LumberjackSink

EXAMPLES = harness.ROOT / "examples"
# Where the sample of an example lies, as its receiver is told.
LOG_NAMES = {"fluentd-to-elasticsearch": f"training-7d9_ml_trainer-{'0' * 64}.log", "falco": "events.json"}


def folders(having):
    return sorted(path.parent for path in EXAMPLES.glob(f"*/{having}"))


def run(*args, stdin=b"", env=None):
    return subprocess.run([harness.AGENT, *map(str, args)], input=stdin, capture_output=True, timeout=60, env={**os.environ, **(env or {})})


def without(document, *paths):
    """A copy without what differs from run to run, and without objects in which nothing is left."""
    copy = {}
    for name, value in document.items():
        if name in paths:
            continue
        if isinstance(value, dict):
            below = [path.split(".", 1)[1] for path in paths if path.startswith(name + ".")]
            value = without(value, *below)
            if not value:
                continue
        copy[name] = value
    return copy


class ExamplesTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.env = {"STATE": str(self.dir / "state"), "LOGS": str(self.dir / "logs"), "DOCKER_SOCKET": str(self.dir / "none.sock")}
        (self.dir / "logs").mkdir()

    def put_sample(self, folder):
        shutil.copy(folder / "sample.log", self.dir / "logs" / LOG_NAMES.get(folder.name, "sample.log"))

    def start_example(self, folder):
        """As it is, but for the port of its pages."""
        config = (folder / "agent.yaml").read_text().replace("http_listen_port: 9080", "http_listen_port: 0")
        return self.start(config, args=["-config.expand-env=true"], env=self.env)

    def check_documents(self, folder, received):
        """`received` gives (order, document) pairs."""
        want = [json.loads(line) for line in (folder / "documents.ndjson").read_text().splitlines()]
        wait_until(lambda: f"{len(want)} documents, there are {len(received())}", lambda: len(received()) >= len(want))
        got = [document for _, document in sorted(received(), key=lambda pair: pair[0])]
        for one, wanted in zip(got, want, strict=True):
            # A line that has no time gets that of its reading, or a moment after the line before.
            if "@timestamp" not in wanted:
                one.pop("@timestamp")
                one.pop("_index", None)
            elif "_index" not in wanted:
                one.pop("_index", None)
            self.assertEqual(one, wanted)

    def test_each_pipeline_test_passes(self):
        for path in folders("test.yaml"):
            with self.subTest(path.name):
                result = run("test", path / "test.yaml")
                self.assertEqual(result.returncode, 0, (result.stdout + result.stderr).decode())

    def test_each_sample_goes_through_a_dry_run(self):
        for folder in folders("sample.log"):
            with self.subTest(folder.name):
                self.put_sample(folder)
                result = run("-config.file", folder / "agent.yaml", "-config.expand-env", "-dry-run", "-stdin",
                             stdin=(folder / "sample.log").read_bytes(), env=self.env)  # fmt: skip
                self.assertEqual(result.returncode, 0, result.stderr.decode())
                self.assertGreater(len(result.stdout.splitlines()), 0)

    def check_elasticsearch(self, name):
        folder = EXAMPLES / name
        sink = BulkSink()
        self.addCleanup(sink.close)
        self.put_sample(folder)
        self.env["ELASTICSEARCH"] = sink.url
        self.start_example(folder)

        def received():
            return [
                (order, {"_index": document["_index"], **without(document["_source"], "log.offset", "log.file.path")})
                for order, document in enumerate(sink.documents())
            ]

        self.check_documents(folder, received)
        self.assertEqual(sink.violations, [])

    def test_fluentd_to_elasticsearch(self):
        self.check_elasticsearch("fluentd-to-elasticsearch")

    def test_logstash_filters(self):
        self.check_elasticsearch("logstash-filters")

    def test_syslog_server(self):
        folder = EXAMPLES / "syslog-server"
        sink = self.sink()
        port = harness.free_port()
        self.env.update(LOKI=sink.url.removesuffix("/loki/api/v1/push"), LISTEN=f"127.0.0.1:{port}")
        agent = self.start_example(folder)

        def connected():
            agent.check_running()
            try:
                return socket.create_connection(("127.0.0.1", port), 5)
            except ConnectionRefusedError:
                return None

        with wait_until("it listens", connected) as sender:
            sender.sendall((folder / "sample.log").read_bytes())

        want = [json.loads(line) for line in (folder / "entries.ndjson").read_text().splitlines()]
        wait_until(lambda: f"{sink.taken()}", lambda: sink.taken_count() >= len(want))
        got = [{"line": entry.line, "ts": entry.ts, "labels": entry.labels} for entry in sink.taken()]
        self.assertEqual(sorted(got, key=lambda entry: entry["ts"]), want)

    def test_each_folder_has_what_belongs_to_it(self):
        live = {"docker", "journal", "kubernetes-pods", "quickstart"}  # They read what a machine has.
        for folder in folders("agent.yaml"):
            with self.subTest(folder.name):
                self.assertIn(f"`{folder.name}`", (EXAMPLES / "README.md").read_text())
                if folder.name in live:
                    continue
                self.assertTrue((folder / "sample.log").exists())
                self.assertTrue((folder / "test.yaml").exists() or (folder / "entries.ndjson").exists())
        self.assertEqual(list(EXAMPLES.glob("*.yaml")), [])

    def test_filebeat_to_logstash(self):
        folder = EXAMPLES / "filebeat-to-logstash"
        sink = LumberjackSink(check_events=True)
        self.addCleanup(sink.close)
        self.put_sample(folder)
        self.env["LOGSTASH"] = sink.address
        self.start_example(folder)

        def received():
            return [
                (event["log"]["offset"], without(event, "log", "host", "agent", "ecs", "@metadata", "labels.filename"))
                for event in sink.received()
            ]

        self.check_documents(folder, received)
        self.assertEqual(sink.violations, [])
        metadata = sink.received()[0]["@metadata"]
        # What Logstash's usual output makes the index of.
        self.assertIsInstance(metadata["beat"], str)
        self.assertIsInstance(metadata["version"], str)


if __name__ == "__main__":
    harness.main()
