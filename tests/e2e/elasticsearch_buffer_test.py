#!/usr/bin/env python3
"""The Elasticsearch output behind a disk buffer, and one of three outputs that is dead for a while: what is behind
it is in order, stored once, and nobody else notices. With AGENT_FULL=1 it is dead for ten minutes."""

import collections
import json
import os
import subprocess
import time

import harness
from bulk_sink import item_error, refuse
from elasticsearch import Elasticsearch
from elasticsearch_bed import ElasticsearchCase, output, sample
from harness import base_config, free_port, wait_until
from writer import RotatingWriter, number_of

OUTAGE_SECONDS = float(os.environ.get("AGENT_OUTAGE_SECONDS", "600" if harness.FULL else "8"))
MAX_RSS_KIB = 64 * 1024


def buffered(agent, name="search"):
    return int(agent.metrics().sum("agent_buffer_entries", output=name))


class BufferCase(ElasticsearchCase):
    def setUp(self):
        super().setUp()
        self.writers = [RotatingWriter(self.dir / f"{name}.log") for name in ("a", "b")]

    def jobs(self):
        return [self.job(path=self.dir / "[ab].log")]

    def written(self):
        return sum(writer.next for writer in self.writers)

    def check_in_order_and_once(self, documents):
        """Of each file every line, once, in the order in which it was written."""
        files = collections.defaultdict(list)
        for document in documents:
            source = document["_source"]
            files[source["log"]["file"]["path"]].append((source["log"]["offset"], number_of(source["message"])))
        for writer in self.writers:
            got = files[str(writer.path)]
            self.assertEqual([number for _, number in got], list(range(writer.next)), writer.path)
            self.assertEqual(sorted(got), got)
        self.assertEqual(len({document["_id"] for document in documents}), len(documents))


class SpillTest(BufferCase):
    def test_a_real_opensearch_goes_and_comes_back(self):
        node = Elasticsearch(self.dir)
        self.addCleanup(node.kill)
        node.start()
        made = {**output(node.url, batch_max_entries=200, timeout="5s"), "buffer": {"min_free": 0}}
        config = self.config(made, self.jobs())
        agent = self.start(config).wait_ready()
        for writer in self.writers:
            writer.write(500)
        wait_until(lambda: f"1000, there are {node.count()}", lambda: node.count() == 1000)
        node.kill()
        for _ in range(4):
            for writer in self.writers:
                writer.write(1500)
            # Nothing that is in the buffer already comes in twice; what was on its way there may.
            wait_until("it spills", lambda: buffered(agent) > 0)
            agent.kill()
            agent = self.start(config).wait_ready()
        for writer in self.writers:
            writer.write(1500)
        self.cat_shows_documents(agent)

        node.start()

        wait_until(lambda: f"{self.written()}, there are {node.count()}", lambda: node.count() >= self.written(), timeout=60)
        wait_until("the buffer is empty", lambda: buffered(agent) == 0)
        self.check_in_order_and_once(node.documents())
        self.assertEqual(agent.stop()[0], 0)

    def cat_shows_documents(self, agent):
        wait_until("all is settled", lambda: agent.metrics().sum("agent_ledger_in_flight_bytes") == 0)
        done = subprocess.run([harness.AGENT, "buffer", "cat", str(self.dir / "buffer/search")], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        shown = [json.loads(line) for line in done.stdout.splitlines()]
        for each in shown:
            self.assertEqual((each["index"], each["job"], each["offset"]), ("logs", "test", each["document"]["log"]["offset"]))
        self.assertEqual(len({each["id"] for each in shown}), self.written() - 1000)

    def test_a_batch_that_is_stored_in_part_is_stored_once(self):
        sink = self.bulk()
        made = {**output(sink.url, batch_max_entries=100), "buffer": {"min_free": 0}}
        agent = self.run_with(made, self.jobs())
        sink.answer(lambda request: refuse(503))
        for writer in self.writers:
            writer.write(3000)
        wait_until("it spills", lambda: buffered(agent) > 0)
        # Once it answers again, each document is refused at first.
        refused = set()

        def busy(item):
            if item.id in refused:
                return None
            refused.add(item.id)
            return item_error(429) if number_of(item.document["message"]) % 3 == 0 else None

        sink.answer_items(busy)
        sink.answer(lambda request: None)
        self.wait_count(sink, self.written(), timeout=60)
        wait_until("the buffer is empty", lambda: buffered(agent) == 0)
        stored = collections.Counter((d["_source"]["log"]["file"]["path"], d["_source"]["log"]["offset"]) for d in sink.documents())
        self.assertEqual((len(stored), set(stored.values())), (self.written(), {1}))
        self.check_strict()


class ThreeOutputsTest(BufferCase):
    """Loki, Elasticsearch and one more that is dead."""

    def check_loki(self, loki):
        files = collections.defaultdict(list)
        for entry in loki.taken():
            files[entry.labels["filename"]].append(number_of(entry.line))
        for writer in self.writers:
            self.assertEqual(files[str(writer.path)], list(range(writer.next)))

    def round_trip(self, loki, sink, lines):
        """Seconds until both have what is written now."""
        begin = time.monotonic()
        for writer in self.writers:
            writer.write(lines)
        both = lambda: loki.taken_count() >= self.written() and sink.count() >= self.written()  # noqa: E731
        wait_until(lambda: f"{self.written()}: {loki.taken_count()}, {sink.count()}", both, pause=0.005)
        return time.monotonic() - begin

    def test_one_that_is_dead_for_a_while_is_noticed_by_nobody(self):
        loki, sink, port = self.sink(), self.bulk(), free_port()
        dead = output(f"http://127.0.0.1:{port}", "dead")
        config = self.config([output(sink.url), dead], self.jobs())
        config["clients"] = [{**base_config(self.dir, loki.url, [])["clients"][0], "name": "loki"}]
        for each in (*config["outputs"], *config["clients"]):
            each["buffer"] = {"min_free": 0}
        before = self.bulk(port=port)
        agent = self.start(config).wait_ready()
        well = [self.round_trip(loki, sink, 300) for _ in range(10)]
        wait_until("all three", lambda: before.count() == self.written())
        before.close()
        self.sinks.remove(before)

        ill, rss, end = [], 0, time.monotonic() + OUTAGE_SECONDS
        while time.monotonic() < end:
            ill.append(self.round_trip(loki, sink, 300))
            rss = max(rss, agent.rss_kib())
            harness.wait_pause(0 if OUTAGE_SECONDS < 60 else 0.5)
        wait_until("it spills", lambda: buffered(agent, "dead") > 0)
        spilled = buffered(agent, "dead")

        revived = self.bulk(port=port)
        revived.store = before.store
        wait_until(lambda: f"{revived.count()} of {self.written()}", lambda: revived.count() >= self.written(), timeout=120 + OUTAGE_SECONDS)
        rss = max(rss, agent.rss_kib())
        well, ill = sorted(well), sorted(ill)
        print(f"\n{OUTAGE_SECONDS:g} s: delay {well[len(well) // 2]:.3f} s before, {ill[len(ill) // 2]:.3f} s during, "
              f"at worst {well[-1]:.3f} and {ill[-1]:.3f}; {spilled} entries spilled; RSS {rss // 1024} MiB", flush=True)  # fmt: skip
        # How long each took is for people to judge: that none waited for the dead one is in their having ended at all.
        if not harness.SANITIZED:
            self.assertLessEqual(rss, MAX_RSS_KIB)
        self.check_loki(loki)
        self.check_in_order_and_once(sink.documents())
        self.check_in_order_and_once(revived.documents())
        self.check_strict()
        self.assertIn("host failed", agent.log())
        self.assertNotIn("wait_ms=0", agent.log())
        wait_until("the buffers are empty", lambda: buffered(agent, "dead") == 0)
        self.assertEqual(agent.metrics().sum("agent_buffer_spooled_entries_total", output="search"), 0)
        self.assertEqual(agent.stop()[0], 0)


class FullDiskTest(BufferCase):
    def setUp(self):
        super().setUp()
        self.small = self.dir / "small"
        self.small.mkdir()
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(self.small)], capture_output=True, text=True)
        if mount.returncode != 0:
            raise harness.unittest.SkipTest(f"needs root to mount a small tmpfs: {mount.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.small)], check=False)

    def fill(self):
        """Until nothing more fits."""
        with open(self.small / "filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass

    def test_a_buffer_on_a_full_disk_makes_sources_wait_and_loses_nothing(self):
        sink = self.bulk()
        sink.answer(lambda request: refuse(503))
        made = {**output(sink.url, batch_max_entries=500), "buffer": {"path": str(self.small / "buffer"), "min_free": 0}}
        agent = self.run_with(made, self.jobs(), limits_config={"memory_budget": "8MiB"})
        for _ in range(10):
            for writer in self.writers:
                writer.write(3000, padding=200)
        wait_until("it is full", lambda: agent.metrics().sum("agent_buffer_full", output="search") == 1)
        wait_until("it is counted", lambda: agent.metrics().sum("agent_buffer_write_failures_total") > 0)

        sink.answer(lambda request: None)

        self.wait_count(sink, self.written(), timeout=90)
        wait_until("the buffer is empty", lambda: buffered(agent) == 0)
        self.check_in_order_and_once(sink.documents())
        self.assertEqual(agent.stop()[0], 0)

    def test_a_dead_letter_on_a_full_disk_stops_nothing_and_is_counted(self):
        sink = self.bulk()
        sink.answer_items(lambda item: item_error(400) if number_of(item.document["message"]) % 2 else None)
        self.fill()
        config = self.config(output(sink.url), self.jobs(), dead_letter={"path": str(self.small / "dead")})
        agent = self.start(config).wait_ready()
        for writer in self.writers:
            writer.write(1000)
        self.wait_count(sink, 1000)
        wait_until("it is said", lambda: "dead letter" in agent.log())
        wait_until("all is settled", lambda: agent.metrics().sum("agent_ledger_in_flight_bytes") == 0)
        self.assertEqual(sample(agent, "refused_entries_total"), 1000)

        os.remove(self.small / "filler")

        for writer in self.writers:
            writer.write(10)
        self.wait_count(sink, 1010)
        wait_until("what comes is kept again", lambda: sum(path.stat().st_size for path in self.small.rglob("*") if path.is_file()) > 0)
        self.assertEqual(agent.stop()[0], 0)


if __name__ == "__main__":
    harness.main()
