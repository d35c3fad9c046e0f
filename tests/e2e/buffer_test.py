#!/usr/bin/env python3
"""Disk buffers: of two receivers one is dead. The other does not notice; the dead one gets everything in
order when it is back, whatever happens to the agent meanwhile."""

import os
import subprocess
import time

import harness
from harness import base_config, file_job, free_port, wait_until
from sink import Answer
from writer import RotatingWriter, Tally


class BufferTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.writer = RotatingWriter(self.dir / "app.log")
        self.alive = self.sink()
        self.dead_port = free_port()

    def config(self, **buffer):
        dead = f"http://127.0.0.1:{self.dead_port}/loki/api/v1/push"
        config = base_config(self.dir, [self.alive.url, dead], [file_job(self.dir / "app.log")])
        for name, client in zip(("alive", "dead"), config["clients"]):
            client["name"] = name
            client["buffer"] = {"min_free": 0, **buffer}
        return config

    def buffered(self, agent, name="dead"):
        return int(agent.metrics().sum("agent_buffer_entries", output=name))

    def wait_buffered(self, agent, entries):
        wait_until(lambda: f"{self.buffered(agent)} of {entries} buffered", lambda: self.buffered(agent) >= entries)

    def wait_position(self):
        """Until the position says that everything is settled: delivered, or in the buffer."""

        def saved():
            try:
                return f'"{os.path.getsize(self.writer.path)}"' in (self.dir / "positions.yaml").read_text()
            except OSError:
                return False

        wait_until("the position is saved", saved)

    def check_in_order(self, agent, sink, repeats=0):
        tally = self.wait_complete(agent, sink, self.writer)
        self.assertEqual(tally.out_of_order, 0)
        self.assertLessEqual(tally.repeats(), repeats)

    def check_empty(self, agent):
        wait_until(lambda: f"{self.buffered(agent)} entries are left", lambda: self.buffered(agent) == 0)
        metrics = agent.metrics()
        read = metrics.sum("agent_ledger_read_bytes_total")
        for output in ("alive", "dead"):
            self.assertEqual(read, metrics.sum("agent_ledger_settled_bytes_total", output=output))
            self.assertEqual(0, metrics.sum("agent_ledger_in_flight_bytes", output=output))

    def test_the_other_does_not_notice_and_the_dead_one_gets_everything_in_order(self):
        agent = self.start(self.config())
        agent.wait_ready()
        worst = 0
        # In all much more than the budget of 24 MiB.
        for _ in range(40):
            begin = time.monotonic()
            self.writer.write(5000, padding=200)
            wait_until("the other has it", lambda: self.alive.taken_count() >= self.writer.next, pause=0.005)
            worst = max(worst, time.monotonic() - begin)
            used = agent.metrics().sum("agent_memory_used_bytes")
            self.assertLess(used, 24 << 20)
        print(f"slowest round of the other: {worst:.2f} s, RSS {agent.rss_kib()} KiB")
        if not harness.SANITIZED:
            self.assertLess(worst, 2)
            self.assertLess(agent.rss_kib(), 80 * 1024)
        self.check_in_order(agent, self.alive)
        self.wait_buffered(agent, 1)
        self.wait_position()
        state = agent.metrics().sum("agent_output_state", output="dead", state="spilling")
        self.assertEqual(state, 1)

        revived = self.sink(self.dead_port)

        self.check_in_order(agent, revived)
        self.check_empty(agent)
        # Nothing is left on the disk, and new lines go straight on.
        wait_until("the segments are gone", lambda: not list((self.dir / "buffer/dead").glob("*.seg")))
        spooled = agent.metrics().sum("agent_buffer_spooled_entries_total")
        wait_until("well", lambda: agent.metrics().sum("agent_output_state", output="dead", state="idle") == 1)
        self.writer.write(100)
        self.check_in_order(agent, revived)
        self.assertEqual(agent.metrics().sum("agent_buffer_spooled_entries_total"), spooled)
        self.check_in_order(agent, self.alive)
        self.assertEqual(agent.stop()[0], 0)

    def test_kill_while_it_spills_and_while_it_drains(self):
        config = self.config()
        for client in config["clients"]:
            client["batchsize"] = 100_000
        for _ in range(4):
            agent = self.start(config)
            self.writer.write(20000)
            wait_until("the other has some", lambda: self.alive.taken_count() >= self.writer.next - 10000)
            agent.kill()
        revived = self.sink(self.dead_port)
        # Slow enough to be killed in the middle.
        revived.answer(lambda index, push: harness.wait_pause(0.02) or Answer())
        for part in (20000, 40000):
            agent = self.start(config)
            wait_until("some drained", lambda: len(set(revived.lines())) >= part)
            agent.kill()
        agent = self.start(config)

        # Each kill repeats at most what was in flight: in memory, or read and not yet in the buffer.
        tally = self.wait_complete(agent, revived, self.writer)
        print(f"{tally.repeats()} repeats, {tally.out_of_order} out of order")
        self.assertEqual(tally.out_of_order, 0)
        self.check_in_order(agent, self.alive, repeats=len(self.alive.taken()))
        self.check_empty_after_restart(agent)

    def check_empty_after_restart(self, agent):
        wait_until(lambda: f"{self.buffered(agent)} entries are left", lambda: self.buffered(agent) == 0)
        self.assertEqual(0, agent.metrics().sum("agent_buffer_corrupt_batches_total"))

    def test_what_is_buffered_is_delivered_after_a_restart_and_not_twice(self):
        agent = self.start(self.config())
        self.writer.write(20000)
        self.check_in_order(agent, self.alive)
        self.wait_position()
        self.assertEqual(agent.stop()[0], 0)
        # The file is gone: only the buffer has the lines now.
        os.remove(self.writer.path)
        self.writer.reopen()

        revived = self.sink(self.dead_port)
        agent = self.start(self.config())

        self.check_in_order(agent, revived)
        self.check_in_order(agent, self.alive)
        self.check_empty_after_restart(agent)

    def test_a_receiver_that_hangs_is_dead_too(self):
        hanging = self.sink(self.dead_port)
        hanging.stall()
        config = self.config()
        config["clients"][1]["timeout"] = "60s"
        agent = self.start(config)
        for _ in range(40):
            self.writer.write(5000, padding=200)
            wait_until("the other has it", lambda: self.alive.taken_count() >= self.writer.next)
        self.wait_buffered(agent, 1)

        hanging.flow()

        self.check_in_order(agent, hanging)
        self.check_in_order(agent, self.alive)
        self.check_empty(agent)

    def test_full_it_makes_sources_wait_and_loses_nothing(self):
        agent = self.start(self.config(max_size="1MiB"))
        for _ in range(30):
            self.writer.write(5000, padding=200)
        wait_until("it listens", lambda: agent.get("/metrics")[0] == 200)
        wait_until("it is full", lambda: agent.metrics().sum("agent_buffer_full", output="dead") == 1)
        # Reading stops with the budget used up.
        read = [-1.0]

        def stands_still():
            read.append(agent.metrics().sum("promtail_read_lines_total"))
            return 0 < read[-1] == read[-2]

        wait_until(lambda: f"read {read[-3:]}", stands_still, pause=1)
        self.assertLess(read[-1], self.writer.next)
        size = sum(path.stat().st_size for path in (self.dir / "buffer/dead").glob("*.seg"))
        self.assertLessEqual(size, 1 << 20)

        revived = self.sink(self.dead_port)

        self.check_in_order(agent, revived)
        self.check_in_order(agent, self.alive)
        self.check_empty(agent)

    def test_full_it_drops_the_oldest_or_the_newest_if_told(self):
        for policy in ("drop_oldest", "drop_newest"):
            with self.subTest(policy):
                config = self.config(max_size="1MiB", when_full=policy)
                config["positions"]["filename"] = str(self.dir / policy / "positions.yaml")
                (self.dir / policy).mkdir()
                config["clients"][0]["buffer"] = {"type": "none"}
                before = self.alive.taken_count()
                agent = self.start(config)
                for _ in range(20):
                    self.writer.write(5000, padding=200)
                    wait_until("the other has it", lambda: self.alive.taken_count() - before >= self.writer.next)
                reason = policy.split("_")[1]
                name = "agent_buffer_dropped_entries_total"
                dropped = wait_until("dropped", lambda: agent.metrics().sum(name, output="dead", reason=reason))
                port = self.dead_port
                revived = self.sink(port)
                wait_until("drained", lambda: self.buffered(agent) == 0 and revived.taken_count() > 0)
                got = set(Tally(revived.taken()).count)
                self.assertEqual(Tally(revived.taken()).out_of_order, 0)
                total = agent.metrics().sum(name, output="dead", reason=reason)
                self.assertGreaterEqual(total, dropped)
                self.assertEqual(len(got) + total, self.writer.next)
                if policy == "drop_oldest":
                    self.assertIn(self.writer.next - 1, got)
                self.assertEqual(agent.stop()[0], 0)
                revived.close()
                self.dead_port = free_port()

    def test_not_required_it_never_makes_anybody_wait(self):
        config = self.config(type="none")
        config["clients"][1]["required"] = False
        agent = self.start(config)
        for _ in range(30):
            self.writer.write(5000, padding=200)
            wait_until("the other has it", lambda: self.alive.taken_count() >= self.writer.next)

        dropped = agent.metrics().sum("agent_buffer_dropped_entries_total", output="dead", reason="not_required")
        self.assertGreater(dropped, 0)
        revived = self.sink(self.dead_port)
        wait_until(
            "the rest comes",
            lambda: len(set(revived.lines()))
            + agent.metrics().sum("agent_buffer_dropped_entries_total", output="dead")
            == self.writer.next,
        )
        self.assertEqual(Tally(revived.taken()).out_of_order, 0)

    def test_tenants_have_lanes_of_their_own(self):
        self.dead_port = self.alive.port
        config = self.config()
        config["clients"][1]["url"] += "?second"
        stages = [{"match": {"selector": '{job="b"}', "stages": [{"tenant": {"value": "b/../b"}}]}}]
        config["scrape_configs"] = [
            file_job(self.dir / "app.log", name="a"),
            file_job(self.dir / "b.log", name="b", stages=stages),
        ]

        def refuse_b(index, push):
            return Answer(status=503) if push.headers.get("X-Scope-OrgID") == "b/../b" else Answer()

        self.alive.answer(refuse_b)
        other = RotatingWriter(self.dir / "b.log")
        other.write(1000)
        agent = self.start(config)
        folder = self.dir / "buffer/dead/tenant-b%2F..%2Fb"
        wait_until("b is in its folder", lambda: list(folder.glob("*.seg")))

        self.writer.write(1000)

        wait_until("a has passed", lambda: sum(e.labels["job"] == "a" for e in self.alive.taken()) == 2000)
        self.assertEqual(list((self.dir / "buffer/dead").glob("*.seg")), [])
        self.alive.answer(lambda index, push: Answer())
        wait_until("b comes", lambda: sum(e.labels["job"] == "b" for e in self.alive.taken()) == 2000)

    def test_a_folder_that_belongs_to_no_output_is_named_at_the_start(self):
        agent = self.start(self.config())
        self.writer.write(5000)
        self.check_in_order(agent, self.alive)
        self.wait_position()
        self.assertEqual(agent.stop()[0], 0)
        config = self.config()
        config["clients"][1]["name"] = "renamed"

        agent = self.start(config, name="second")

        agent.wait_ready()
        self.assertIn("belongs to no output", agent.log())
        self.assertIn("entries=5000", agent.log())
        self.assertEqual(agent.stop()[0], 0)

    def test_its_contents_can_be_looked_at(self):
        agent = self.start(self.config())
        self.writer.write(3000)
        self.check_in_order(agent, self.alive)
        self.wait_position()
        self.assertEqual(agent.stop()[0], 0)
        folder = str(self.dir / "buffer/dead")

        def tool(what):
            return subprocess.run([harness.AGENT, "buffer", what, folder], capture_output=True, text=True)

        self.assertIn("3000", tool("ls").stdout)
        self.assertEqual(tool("verify").returncode, 0)
        lines = [harness.json.loads(line) for line in tool("cat").stdout.splitlines()]
        self.assertEqual(len(lines), 3000)
        self.assertEqual([entry["line"] for entry in lines], self.alive.lines())
        self.assertIn('job="test"', lines[0]["labels"])
        segment = next((self.dir / "buffer/dead").glob("*.seg"))
        data = bytearray(segment.read_bytes())
        data[len(data) // 2] ^= 1
        segment.write_bytes(data)
        damaged = tool("verify")
        self.assertEqual(damaged.returncode, 1)
        self.assertIn(segment.name, damaged.stdout)
        self.assertEqual(tool("frobnicate").returncode, 2)

    def test_events_for_logstash_can_be_looked_at(self):
        nobody = f"127.0.0.1:{self.dead_port}"
        config = base_config(self.dir, [], [file_job(self.dir / "app.log")])
        del config["clients"]
        config["outputs"] = [
            {"name": "beats", "logstash": {"hosts": [nobody]}, "buffer": {"min_free": 0}},
            {"name": "lines", "logstash": {"hosts": [nobody], "protocol": "json_lines"}, "required": False, "buffer": {"min_free": 0}},
        ]
        self.writer.write(3000)
        agent = self.start(config).wait_ready()
        wait_until("all is buffered", lambda: min(self.buffered(agent, "beats"), self.buffered(agent, "lines")) == 3000)
        self.assertEqual(agent.stop()[0], 0)

        want = (self.dir / "app.log").read_text().splitlines()
        for name in ("beats", "lines"):
            shown = subprocess.run([harness.AGENT, "buffer", "cat", str(self.dir / "buffer" / name)], capture_output=True, text=True)
            entries = [harness.json.loads(line) for line in shown.stdout.splitlines()]
            self.assertEqual([entry["document"]["message"] for entry in entries], want)
            self.assertEqual((entries[0]["job"], entries[0]["offset"]), ("test", 0))


if __name__ == "__main__":
    harness.main()
