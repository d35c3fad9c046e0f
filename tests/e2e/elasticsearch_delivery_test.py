#!/usr/bin/env python3
"""The Elasticsearch output over kills, reloads and stops, beside Loki, and before real nodes: every line is
stored, none twice, and positions never pass what is not stored.

AGENT_KILL_CYCLES: how many kills (default 10)."""

import collections
import os
import random
import re
import signal

import harness
from bulk_sink import Answer, refuse
from elasticsearch import Elasticsearch
from elasticsearch_bed import ElasticsearchCase, output, sample
from harness import wait_until
from sink import Answer as LokiAnswer
from writer import RotatingWriter, number_of

CYCLES = int(os.environ.get("AGENT_KILL_CYCLES", "100" if harness.FULL else "10"))


def tally(sources):
    return collections.Counter(number_of(each["message"]) for each in sources)


class DeliveryCase(ElasticsearchCase):
    def setUp(self):
        super().setUp()
        self.writer = RotatingWriter(self.log_file)

    def check_exactly_once(self, sources):
        count = tally(sources)
        missing = [number for number in range(self.writer.next) if number not in count]
        twice = {number: times for number, times in count.items() if times > 1}
        self.assertEqual((missing[:10], dict(list(twice.items())[:10])), ([], {}))


class KillTest(DeliveryCase):
    def cycles(self, url, count, pattern, slow=None):
        rng = random.Random(4)
        config = self.config(output(url, batch_wait="10ms", batch_max_entries=100), [self.job(path=self.dir / pattern)])
        self.writer.write(1)
        agent = self.start(config)
        wait_until("the first is there", lambda: count() >= 1)
        agent.stop()
        for _ in range(CYCLES):
            if slow:
                slow(rng.choice([0, 0.001, 0.02]))
            agent = self.start(config)
            for _ in range(rng.randrange(1, 5)):
                self.writer.write(rng.randrange(1, 400))
                if rng.random() < 0.4:
                    self.writer.rotate()
            if rng.random() < 0.8:
                agent.wait_ready()
            agent.runs_for(rng.random() * 0.15)
            agent.kill()
            self.agents.clear()
        agent = self.start(config).wait_ready()
        wait_until(lambda: f"{count()} of {self.writer.next}", lambda: count() >= self.writer.next, timeout=60, pause=0.1)
        self.assertEqual(agent.stop()[0], 0)
        self.assertEqual(count(), self.writer.next)

    def test_a_real_opensearch_has_every_line_once(self):
        node = Elasticsearch(self.dir)
        self.addCleanup(node.kill)
        node.start()
        # The answer to the first request takes as long as an index takes to be made.
        self.cycles(node.url, node.count, "app.log*")
        self.check_exactly_once(node.sources())

    def test_every_id_is_stored_once(self):
        sink = self.bulk()

        def slow(pause):
            sink.answer(lambda request: harness.wait_pause(pause))

        self.cycles(sink.url, sink.count, "app.log", slow)
        self.check_exactly_once(sink.sources())
        self.check_strict()
        # The same line has the same id, whoever sent it.
        ids = collections.defaultdict(set)
        for request in sink.bulks():
            for item in request.items:
                ids[number_of(item.document["message"])].add((item.index, item.id))
        self.assertEqual({number: each for number, each in ids.items() if len(each) > 1}, {})


class RealNodeTest(DeliveryCase):
    def test_a_real_elasticsearch_takes_and_refuses(self):
        node = Elasticsearch(self.dir, "elasticsearch")
        self.addCleanup(node.kill)
        node.start()
        stages = [{"json": {"expressions": {"time": "time", "v": "v"}}}, {"timestamp": {"source": "time", "format": "RFC3339Nano", "action_on_failure": "skip"}},
                  {"labels": {"v": None}}]  # fmt: skip
        agent = self.run_with(output(node.url, index="l-%{+yyyy.MM.dd}", document={"fields": ["v"]}), [self.job(stages)])
        line = '{"time":"2024-05-0%dT23:59:59.123456789Z","v":"%s"}'
        self.write(line % (1, "1"), line % (2, "2"), b"bad \xff\0\x01", "x" * (1 << 20), line % (1, "3"))
        wait_until(lambda: f"5, there are {node.count()}", lambda: node.count() == 5)
        self.assertEqual(node.count("l-2024.05.01"), 2)
        self.assertEqual(node.count("l-2024.05.02"), 1)
        first = node.documents("l-2024.05.01")[0]["_source"]
        self.assertEqual((first["@timestamp"], first["v"]), ("2024-05-01T23:59:59.123456789Z", "1"))
        # An index in which the field is a number refuses what is none.
        node.put("/l-2024.05.03", {"mappings": {"properties": {"v": {"type": "integer"}, "labels": {"enabled": False}}}})
        self.write(line % (3, "no number"), line % (3, "2024"))
        letters = self.wait_dead(1)
        wait_until("the good one", lambda: node.count("l-2024.05.03") == 1)
        self.assertEqual((letters[0]["index"], letters[0]["status"]), ("l-2024.05.03", 400))
        self.assertRegex(letters[0]["reason"], "parse")
        # The node goes, and comes back with its data.
        node.kill()
        self.write("while it was away")
        wait_until("it failed", lambda: sample(agent, "failed_requests_total") > 0)
        node.start()
        wait_until("the last one", lambda: node.count() == 7)
        self.settled(agent)


class ReloadAndStopTest(DeliveryCase):
    def test_reload_under_load_loses_and_repeats_nothing(self):
        sink, other = self.bulk(), self.bulk()
        for each in (sink, other):
            each.answer(lambda request: harness.wait_pause(0.005))
        config = self.config(output(sink.url, batch_max_entries=50, batch_wait="10ms"))
        agent = self.start(config).wait_ready()
        for turn in range(8):
            self.writer.write(700)
            if turn % 3 == 1:
                self.writer.rotate()
            target = (other if turn % 2 else sink).url
            config["outputs"][0]["elasticsearch"].update(hosts=[target], batch_max_entries=50 + turn)
            agent.write_config(config)
            agent.process.send_signal(signal.SIGHUP)
            done = "promtail_config_reload_success_total"
            wait_until("it is reloaded", lambda turn=turn: agent.metrics().sum(done) == turn + 1)
        wait_until(lambda: f"{sink.count()} + {other.count()}", lambda: len(set(tally(sink.sources())) | set(tally(other.sources()))) == self.writer.next)
        self.assertEqual(agent.stop()[0], 0)
        for each in (sink, other):
            self.assertTrue(all(times == 1 for times in tally(each.sources()).values()))
        self.check_strict()
        self.check_position()

    def check_position(self):
        """What a Promtail would go on from."""
        text = (self.dir / "positions.yaml").read_text()
        found = re.search(re.escape(str(self.log_file)) + r': "(\d+)"', text)
        self.assertEqual(int(found.group(1)), self.log_file.stat().st_size, text)

    def test_a_bad_reload_keeps_what_runs(self):
        sink = self.bulk()
        config = self.config(output(sink.url))
        agent = self.start(config).wait_ready()
        config["outputs"][0]["elasticsearch"]["hots"] = ["x"]
        agent.write_config(config)
        agent.process.send_signal(signal.SIGHUP)
        wait_until("it complains", lambda: "hots" in agent.log())
        self.writer.write(10)
        self.wait_count(sink, 10)

    def test_stop_under_load_leaves_positions_right(self):
        sink = self.bulk()
        sink.answer(lambda request: harness.wait_pause(0.01))
        config = self.config(output(sink.url, batch_max_entries=50, batch_wait="10ms"))
        for _ in range(4):
            self.writer.write(3000)
            agent = self.start(config)
            before = len(sink.bulks())
            wait_until("it sends", lambda before=before: len(sink.bulks()) > before)
            code, took = agent.stop()
            self.assertEqual(code, 0)
            self.assertLess(took, 8)
        agent = self.start(config).wait_ready()
        self.wait_count(sink, self.writer.next, timeout=40)
        agent.stop()
        self.check_exactly_once(sink.sources())
        items = [item.id for request in sink.bulks() for item in request.items]
        self.assertEqual(len(items) - len(set(items)), 0)
        self.check_position()

    def test_stop_with_a_server_that_hangs_keeps_to_the_deadline(self):
        sink = self.bulk()
        sink.answer(lambda request: Answer(end="hang", store=False))
        self.writer.write(5000)
        agent = self.run_with(output(sink.url))
        wait_until("it sends", lambda: sink.bulks())
        code, took = agent.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 8)
        sink.answer(lambda request: None)
        sink.flow()
        agent = self.run_with(output(sink.url))
        self.wait_count(sink, 5000)
        self.check_exactly_once(sink.sources())


class TwoOutputsTest(DeliveryCase):
    def both(self, loki, sink, jobs, **more):
        config = self.config([output(sink.url)], jobs, **more)
        clients = harness.base_config(self.dir, loki.url, [])["clients"]
        config["clients"] = [{**clients[0], "name": "loki"}]
        return config

    def test_each_job_has_its_routes(self):
        loki, sink = self.sink(), self.bulk()
        routes = {"both": None, "to-loki": ["loki"], "to-search": ["search"]}
        jobs = []
        for name, outputs in routes.items():
            path = self.dir / f"{name}.log"
            self.write(*[f"{name} {n}" for n in range(50)], path=path)
            jobs.append(self.job(name=name, path=path, **({"outputs": outputs} if outputs else {})))
        agent = self.start(self.both(loki, sink, jobs)).wait_ready()
        self.wait_count(sink, 100)
        wait_until("Loki has its own", lambda: loki.taken_count() >= 100)
        wait_until("nothing is in flight", lambda: agent.metrics().sum("agent_ledger_in_flight_bytes") == 0)

        def want(*names):
            return sorted(f"{name} {n}" for name in names for n in range(50))

        self.assertEqual(sorted(loki.lines()), want("both", "to-loki"))
        self.assertEqual(sorted(each["message"] for each in sink.sources()), want("both", "to-search"))
        self.assertEqual(loki.errors, [])
        self.check_strict()
        self.assertEqual(agent.stop()[0], 0)

    def test_an_output_that_is_down_does_not_stop_the_other(self):
        loki, sink = self.sink(), self.bulk()
        sink.answer(lambda request: refuse(503))
        agent = self.start(self.both(loki, sink, [self.job()])).wait_ready()
        self.writer.write(3000)
        wait_until("Loki has all", lambda: loki.taken_count() == 3000)
        # The position of what one of them lacks is not passed, also over a kill.
        agent.kill()
        sink.answer(lambda request: None)
        agent = self.start(self.both(loki, sink, [self.job()])).wait_ready()
        self.wait_count(sink, 3000)
        self.check_exactly_once(sink.sources())
        self.settled(agent)

    def test_loki_down_does_not_stop_the_documents(self):
        loki, sink = self.sink(), self.bulk()
        loki.answer(lambda index, push: LokiAnswer(status=503))
        agent = self.start(self.both(loki, sink, [self.job()])).wait_ready()
        self.writer.write(3000)
        self.wait_count(sink, 3000)
        loki.answer(lambda index, push: LokiAnswer())
        wait_until("Loki has all", lambda: loki.taken_count() == 3000)
        self.settled(agent)
        self.check_exactly_once(sink.sources())

    def test_what_a_loki_stage_dropped_no_output_has(self):
        loki, sink = self.sink(), self.bulk()
        stages = [{"drop": {"expression": "noise"}}, {"replace": {"expression": "(secret)", "replace": "***"}}]
        agent = self.start(self.both(loki, sink, [self.job(stages)])).wait_ready()
        self.write("noise", "a secret", "fine")
        self.wait_count(sink, 2)
        self.assertEqual([each["message"] for each in sink.sources()], ["a ***", "fine"])
        wait_until("Loki too", lambda: loki.lines() == ["a ***", "fine"])
        self.settled(agent)


if __name__ == "__main__":
    harness.main()
