#!/usr/bin/env python3
"""Stages that keep lines back: what they hold is read again after a kill, a stop or a reload, and nothing is
lost or counted twice."""

import random
import re
import signal
import time

import harness
from harness import base_config, file_job, run_agent, wait_until, write_lines
from sink import Answer

FIRST = [["> 1", "  a"], ["> 2", "  b"]]


def bytes_of(lines):
    return sum(len(line) + 1 for line in lines)


class HeldLinesTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.dir / "app.log"
        self.receiver = self.sink()

    def config(self, stages, **labels):
        config = base_config(self.dir, self.receiver.url, [file_job(self.path, stages=stages, labels=labels)])
        config["server"]["enable_runtime_reload"] = True
        return config

    def ledger(self, agent, what):
        return agent.metrics().sum(f"agent_ledger_{what}")

    def wait_read(self, agent, size):
        wait_until("everything is read", lambda: self.ledger(agent, "read_bytes_total") == size)

    def wait_settled(self, agent, size):
        wait_until("the rest is settled", lambda: self.ledger(agent, "settled_bytes_total") == size)


class MultilineTest(HeldLinesTest):
    # So long that an entry ends only with the next one.
    STAGES = [{"multiline": {"firstline": "^> ", "max_wait_time": "1h"}}]

    def start_with_open_entry(self):
        """One entry is settled, the next one is open."""
        config = self.config(self.STAGES, version="1")
        write_lines(self.path, FIRST[0] + FIRST[1])
        agent = self.start(config).wait_ready()
        write_lines(self.path, ["  c"])
        self.wait_settled(agent, bytes_of(FIRST[0]))
        self.wait_read(agent, bytes_of(FIRST[0] + FIRST[1] + ["  c"]))
        self.assertEqual(self.ledger(agent, "in_flight_bytes"), bytes_of(FIRST[1] + ["  c"]))
        return agent, config

    def wait_for_the_rest(self):
        write_lines(self.path, ["  d", "> 3"])
        wait_until(lambda: f"the second entry is whole: {self.receiver.lines()}", lambda: len(self.receiver.lines()) > 1)
        self.assertEqual(self.receiver.lines(), ["> 1\n  a", "> 2\n  b\n  c\n  d"])

    def test_an_open_entry_survives_kill_9(self):
        agent, config = self.start_with_open_entry()
        agent.kill()
        self.agents.clear()

        agent = self.start(config).wait_ready()

        self.wait_for_the_rest()
        second = bytes_of(FIRST[1] + ["  c", "  d"])
        self.wait_settled(agent, second)
        self.assertEqual(self.ledger(agent, "read_bytes_total"), second + bytes_of(["> 3"]))
        self.assertEqual(self.ledger(agent, "in_flight_bytes"), bytes_of(["> 3"]))

    def test_an_open_entry_is_kept_over_a_stop(self):
        agent, config = self.start_with_open_entry()
        self.assertEqual(agent.stop()[0], 0)
        self.assertEqual(self.receiver.lines(), ["> 1\n  a"])

        self.start(config).wait_ready()

        self.wait_for_the_rest()

    def test_an_open_entry_is_kept_over_a_reload(self):
        agent, _ = self.start_with_open_entry()
        agent.write_config(self.config(self.STAGES, version="2"))
        agent.process.send_signal(signal.SIGHUP)
        wait_until("the reload is done", lambda: agent.metrics().sum("promtail_config_reload_success_total") == 1)

        self.wait_for_the_rest()

        self.assertEqual([entry.labels["version"] for entry in self.receiver.taken()], ["1", "2"])

    def test_an_open_entry_comes_out_in_time(self):
        write_lines(self.path, ["> 1", "  a"])
        agent = self.start(self.config([{"multiline": {"firstline": "^> ", "max_wait_time": "200ms"}}]))

        wait_until("the entry comes", lambda: self.receiver.lines() == ["> 1\n  a"])
        wait_until("it is settled", lambda: self.ledger(agent, "in_flight_bytes") == 0)

    def test_kills_at_any_moment(self):
        rng = random.Random(7)
        config = self.config(self.STAGES)
        config["clients"][0].update(batchwait="10ms", batchsize=4096)
        groups = []
        number = 0
        for cycle in range(100 if harness.FULL else 8):
            pause = rng.choice([0, 0.001, 0.02])
            self.receiver.answer(lambda index, push, pause=pause: harness.wait_pause(pause) or Answer())
            agent = self.start(config, name=f"agent{cycle}")
            for _ in range(rng.randrange(2, 8)):
                lines = []
                for _ in range(rng.randrange(1, 200)):
                    number += 1
                    first = number == 1 or rng.random() < 0.3
                    lines.append(f"{'>' if first else ' '} seq={number:09d} {rng.random()}")
                    groups.append([lines[-1]]) if first else groups[-1].append(lines[-1])
                write_lines(self.path, lines)
                agent.runs_for(rng.random() * 0.05)
            agent.kill()
            self.agents.clear()
        agent = self.start(config).wait_ready()
        write_lines(self.path, ["> end"])

        wanted = {"\n".join(group) for group in groups}
        wait_until(lambda: f"{len(wanted - set(self.receiver.lines()))} missing", lambda: wanted <= set(self.receiver.lines()))

        self.assertEqual(set(self.receiver.lines()), wanted)
        wait_until("all but the last line is settled", lambda: self.ledger(agent, "in_flight_bytes") == bytes_of(["> end"]))
        self.assertEqual(self.receiver.errors, [])

    def test_the_last_entry_of_standard_input_comes_out(self):
        result = run_agent(self.dir, ["--stdin", "--dry-run"], self.config(self.STAGES), b"> 1\n  a\n> 2\n  b\n")

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(re.findall(rb"> \d\n  \w", result.stdout), [b"> 1\n  a", b"> 2\n  b"])


class LimitTest(HeldLinesTest):
    def test_standard_input_comes_out_at_the_rate(self):
        lines = [f"line {n}" for n in range(25)]
        config = self.config([{"limit": {"rate": 50, "burst": 5}}])
        for args in (["--stdin", "--dry-run"], ["--stdin"]):
            begin = time.monotonic()

            result = run_agent(self.dir, args, config, "\n".join(lines).encode())

            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertGreaterEqual(time.monotonic() - begin, 20 / 50)
            if "--dry-run" in args:
                self.assertEqual(re.findall(r"line \d+", result.stdout.decode()), lines)
        self.assertEqual(self.receiver.lines(), lines)

    def test_a_job_over_its_rate_waits_alone_and_loses_nothing(self):
        free = self.dir / "free.log"
        limited = [f"limited {n}" for n in range(2000)]
        write_lines(self.path, limited)
        jobs = [file_job(self.path, "limited", [{"limit": {"rate": 5, "burst": 10}}]), file_job(free, "free")]
        config = base_config(self.dir, self.receiver.url, jobs, limits_config={"workers": 1})
        agent = self.start(config)
        wait_until("the burst comes", lambda: len(self.receiver.lines()) >= 10)
        begin = time.monotonic()

        for n in range(5):
            write_lines(free, [f"free {n}"])
            wait_until("the other job goes on", lambda n=n: f"free {n}" in self.receiver.lines())

        came = [line for line in self.receiver.lines() if line.startswith("limited")]
        self.assertLessEqual(len(came), 10 + 5 * (time.monotonic() - begin + 5))
        self.assertEqual(came, limited[: len(came)])
        self.assertLess(self.ledger(agent, "read_bytes_total"), bytes_of(limited))
        code, seconds = agent.stop()
        self.assertEqual(code, 0)
        self.assertLess(seconds, 5)

        config["scrape_configs"][0]["pipeline_stages"] = []
        self.start(config)
        wait_until("the rest comes", lambda: set(limited) <= set(self.receiver.lines()))
        lines = [line for line in self.receiver.lines() if line.startswith("limited")]
        self.assertEqual(lines, limited)

    def test_by_label(self):
        stages = [
            {"logfmt": {"mapping": {"app": None}}},
            {"labels": {"app": None}},
            {"limit": {"rate": 0.001, "burst": 2, "drop": True, "by_label_name": "app"}},
        ]
        write_lines(self.path, ["app=a"] * 5 + ["app=b"] + ["none"] * 4)
        agent = self.start(self.config(stages)).wait_ready()

        wait_until("all are read", lambda: self.ledger(agent, "in_flight_bytes") == 0 and len(self.receiver.lines()) >= 7)

        self.assertEqual(sorted(self.receiver.lines()), ["app=a"] * 2 + ["app=b"] + ["none"] * 4)
        metrics = agent.metrics()
        by_label = metrics.sum("logentry_dropped_lines_by_label_total", label_name="app", label_value="a")
        self.assertEqual(by_label, 3)
        self.assertEqual(metrics.sum("logentry_dropped_lines_total", reason="ratelimit_drop_stage"), 3)
        dropped = metrics.sum("agent_ledger_dropped_bytes_total", reason="ratelimit_drop_stage")
        self.assertEqual(dropped, bytes_of(["app=a"] * 3))


class DedupTest(HeldLinesTest):
    def test_the_last_repeat_survives_kill_9(self):
        config = self.config([{"dedup": {"window": "1h", "count_as": "suffix"}}])
        write_lines(self.path, ["a"] * 5)
        agent = self.start(config).wait_ready()
        wait_until("the first one came", lambda: self.receiver.lines() == ["a"])
        self.wait_settled(agent, 2)
        self.assertEqual(self.ledger(agent, "dropped_bytes_total"), 6)
        self.assertEqual(self.ledger(agent, "in_flight_bytes"), 2)
        agent.kill()
        self.agents.clear()

        agent = self.start(config).wait_ready()
        write_lines(self.path, ["a", "a", "b"])

        wait_until("the run has ended", lambda: "b" in self.receiver.lines())
        self.assertEqual(self.receiver.lines(), ["a", "a", "a [repeated 2 times]", "b"])
        wait_until("all is settled", lambda: self.ledger(agent, "in_flight_bytes") == 0)


if __name__ == "__main__":
    harness.main()
