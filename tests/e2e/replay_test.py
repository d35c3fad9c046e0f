#!/usr/bin/env python3
"""`agent replay`: what receivers refused is sent again: once it is taken, it is there as it would have been, and
twice does no harm."""

import gzip
import json
import signal
import subprocess

import harness
from bulk_sink import item_error
from elasticsearch_bed import ElasticsearchCase, output
from harness import base_config, wait_until
from lumberjack_sink import RESET, LumberjackSink
from sink import Answer as LokiAnswer


class ReplayCase(ElasticsearchCase):
    def replay(self, config, *args, code=0):
        path = self.dir / "replay.yaml"
        path.write_text(json.dumps(config))
        self.result = subprocess.run(
            [harness.AGENT, "replay", f"-config.file={path}", *map(str, args)], cwd=self.dir, capture_output=True, text=True, timeout=60, check=False
        )
        self.assertEqual(self.result.returncode, code, self.result.stdout + self.result.stderr)
        return self.result.stdout

    def files(self):
        return sorted(path for path in (self.dir / "dead-letter").iterdir())

    def loki_config(self, url):
        config = base_config(self.dir, url, [self.job(stages=[{"static_labels": {"odd": 'a "b"', "id": "t1"}}, {"structured_metadata": {"id": None}}])])
        config["clients"][0]["name"] = "main"
        config["clients"][0]["tenant_id"] = "team"
        return config

    def refused_by_loki(self, lines, config, sink):
        """A dead letter with these lines; the sink takes everything afterwards."""
        sink.answer(lambda index, push: LokiAnswer(400))
        agent = self.start(config).wait_ready()
        self.write(*lines)
        self.wait_dead(len(lines))
        agent.stop()
        self.agents.clear()
        sink.answer(lambda index, push: LokiAnswer())


class LokiTest(ReplayCase):
    def test_the_same_labels_time_line_and_tenant(self):
        sink = self.sink()
        config = self.loki_config(sink.url)
        self.refused_by_loki(["one", b"bad \xff bytes", 'quo"te'], config, sink)
        letters = self.dead_letters()
        text = self.replay(config, *self.files())
        self.assertIn("main: 3 delivered, 0 refused again, 0 not sent", text)
        got = sink.taken()
        self.assertEqual([entry.line for entry in got], ["one", b"bad \xff bytes".decode("utf-8", "surrogateescape"), 'quo"te'])
        self.assertEqual((got[0].labels["odd"], got[0].meta), ('a "b"', {"id": "t1"}))
        self.assertEqual(sink.pushes[-1].headers.get("X-Scope-OrgID"), "team")
        self.assertEqual(len(self.files()), 1)  # It stays.
        self.assertEqual(len(letters), 3)

    def test_damaged_lines_are_named_and_the_rest_is_sent(self):
        sink = self.sink()
        config = self.loki_config(sink.url)
        self.refused_by_loki(["one", "two"], config, sink)
        path = self.files()[0]
        lines = path.read_text().splitlines(keepends=True)
        damaged = self.dir / "damaged.ndjson"
        damaged.write_text("rubbish\n" + lines[0] + '{"output":"main"}\n' + lines[1] + lines[0][: len(lines[0]) // 2])
        self.replay(config, "-remove", damaged, code=1)
        for number in (1, 3, 5):
            self.assertIn(f"{damaged}:{number}: ", self.result.stderr)
        self.assertEqual([entry.line for entry in sink.taken()], ["one", "two"])
        self.assertTrue(damaged.exists())

    def test_refused_again_goes_to_a_new_file_and_remove_keeps_nothing_twice(self):
        sink = self.sink()
        config = self.loki_config(sink.url)
        self.refused_by_loki(["good", "bad"], config, sink)
        before = self.files()
        sink.answer(lambda index, push: LokiAnswer(400 if any(entry.line == "bad" for entry in push.entries) else 204))
        text = self.replay(config, "--remove", *before, code=1)
        self.assertIn("1 delivered, 1 refused again", text)
        self.assertEqual([entry.line for entry in sink.taken()], ["good"])
        after = self.files()
        self.assertNotIn(before[0], after)
        letters = self.dead_letters()
        self.assertEqual([letter["line"] for letter in letters], ["bad"])
        self.assertEqual((letters[0]["job"], letters[0]["source"]), ("test", str(self.log_file)))
        self.assertEqual(letters[0]["offset"], len("good\n"))

    def test_dry_run_another_output_and_gzip(self):
        sink = self.sink()
        config = self.loki_config(sink.url)
        self.refused_by_loki(["one", "two"], config, sink)
        packed = self.dir / "old.ndjson.gz"
        packed.write_bytes(gzip.compress(self.files()[0].read_bytes()))
        self.assertIn("main: 2 would be sent", self.replay(config, "-dry-run", packed))
        self.assertEqual(sink.taken(), [])
        other = {**config, "outputs": [{"name": "kept", "file": {"path": str(self.dir / "kept.log"), "format": "raw"}}]}
        self.assertIn("kept: 2 delivered", self.replay(other, "-output=kept", packed))
        self.assertEqual((self.dir / "kept.log").read_text(), "one\ntwo\n")
        renamed = json.loads(json.dumps(config))
        renamed["clients"][0]["name"] = "new"
        self.replay(renamed, packed, code=1)
        self.assertIn("no output called 'main'", self.result.stderr)
        self.replay(config, "-output", "nobody", packed, code=2)
        self.replay(config, code=2)

    def test_interrupted_it_says_what_is_left(self):
        sink = self.sink()
        config = self.loki_config(sink.url)
        self.refused_by_loki(["one"], config, sink)
        sink.answer(lambda index, push: LokiAnswer(503))
        seen = sink.request_count()
        path = self.dir / "replay.yaml"
        path.write_text(json.dumps(config))
        process = subprocess.Popen(
            [harness.AGENT, "replay", f"-config.file={path}", "-remove", str(self.files()[0])], stdout=subprocess.PIPE, text=True, cwd=self.dir
        )
        self.addCleanup(process.kill)
        wait_until("it tries", lambda: sink.request_count() > seen)
        process.send_signal(signal.SIGINT)
        self.assertIn("main: 0 delivered, 0 refused again, 1 not sent", process.communicate(timeout=15)[0])
        self.assertEqual(process.returncode, 1)
        self.assertEqual(len(self.files()), 1)


class ElasticsearchTest(ReplayCase):
    def test_same_index_and_id_so_that_twice_stores_once(self):
        sink = self.bulk()
        sink.answer_items(lambda item: item_error(400, "mapper_parsing_exception", "no"))
        config = self.config(output(sink.url, document={"layout": "flat"}))
        agent = self.start(config).wait_ready()
        self.write("one", "two")
        letters = self.wait_dead(2)
        agent.stop()
        self.agents.clear()
        sink.answer_items(lambda item: None)
        self.assertIn("search: 2 delivered", self.replay(config, *self.files()))
        self.assertIn("search: 2 delivered", self.replay(config, *self.files()))
        self.assertEqual(sink.count(), 2)
        self.assertEqual(sink.sources(), [letter["document"] for letter in letters])
        self.check_strict()


class LogstashTest(ReplayCase):
    def test_an_event_that_killed_connections_is_sent_again_as_it_was(self):
        sink = LumberjackSink(check_events=True)
        self.addCleanup(sink.close)
        sink.answer(lambda window: [RESET] if any(e["message"] == "poison" for e in window.events) else None)
        stash = {"hosts": [sink.address], "bulk_max_size": 1, "backoff": {"init": "10ms", "max": "20ms"}, "batch_wait": "10ms"}
        config = self.config({"name": "stash", "logstash": stash})
        agent = self.start(config).wait_ready()
        self.write("one", "poison", "two", "three")
        (letter,) = self.wait_dead(1)
        agent.stop()
        self.agents.clear()
        sink.answer(lambda window: None)

        self.assertIn("stash: 1 delivered", self.replay(config, *self.files()))

        self.assertEqual(sink.delivered()[-1], letter["document"])
        self.assertEqual(sink.delivered()[-1]["@metadata"]["_id"], letter["id"])
        self.assertEqual(sink.violations, [])


if __name__ == "__main__":
    harness.main()
