#!/usr/bin/env python3
"""The receiver refuses, throttles, stalls or is not there: nothing is lost, order is kept, memory stays
flat, a second receiver does not suffer, and SIGTERM ends the agent within its deadline."""

import os
import time

import harness
from harness import base_config, file_job, free_port, wait_until
from sink import Answer
from writer import RotatingWriter, Tally

# How long the memory test looks.
WATCH_SECONDS = float(os.environ.get("AGENT_OUTAGE_SECONDS", "120" if harness.FULL else "15"))


class OutageTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.writer = RotatingWriter(self.dir / "app.log")

    def config(self, *urls):
        return base_config(self.dir, list(urls), [file_job(self.dir / "app.log")])

    def wait_in_order(self, agent, sink, repeats=0):
        tally = self.wait_complete(agent, sink, self.writer)
        self.assertEqual(tally.out_of_order, 0)
        self.assertLessEqual(tally.repeats(), repeats)

    def check_ledger(self, agent):
        """For every output by itself: read = settled + dropped, nothing in flight."""
        name = "agent_ledger_%s"

        def balanced():
            metrics = agent.metrics()
            read = metrics.sum(name % "read_bytes_total")
            outputs = {labels["output"] for sample, labels, _ in metrics.samples if sample == name % "settled_bytes_total"}
            return outputs and all(
                read
                == metrics.sum(name % "settled_bytes_total", output=output)
                + metrics.sum(name % "dropped_bytes_total", output=output)
                > 0
                == metrics.sum(name % "in_flight_bytes", output=output)
                for output in outputs
            )

        def ledger():
            return "\n".join(line for line in agent.metrics().text.splitlines() if line.startswith("agent_ledger_"))

        wait_until(ledger, balanced)

    def refused(self, answer, times=8):
        sink = self.sink()
        sink.answer(lambda index, push: answer if index < times else Answer())
        self.writer.write(20000)
        agent = self.start(self.config(sink.url))
        self.wait_in_order(agent, sink)
        self.check_ledger(agent)
        self.assertEqual(agent.stop()[0], 0)

    def test_503(self):
        self.refused(Answer(status=503))

    def test_429(self):
        self.refused(Answer(status=429))

    def test_hangs_up_without_an_answer(self):
        self.refused(Answer(hang_up=True))

    def test_401_is_held_not_dropped(self):
        sink = self.sink()
        sink.answer(lambda index, push: Answer(status=401))
        self.writer.write(100)
        agent = self.start(self.config(sink.url))
        wait_until("the first request", lambda: sink.request_count() >= 1)
        self.assertEqual(agent.stop()[0], 0)
        sink.answer(lambda index, push: Answer())

        agent = self.start(self.config(sink.url))

        self.wait_in_order(agent, sink)

    def test_every_seventh_request_fails(self):
        sink = self.sink()
        sink.answer(lambda index, push: Answer(status=503) if index % 7 == 0 else Answer())
        config = self.config(sink.url)
        config["clients"][0]["batchsize"] = 65536
        self.writer.write(30000)
        agent = self.start(config)
        self.wait_in_order(agent, sink)

    def test_retry_after_is_honoured(self):
        sink = self.sink()
        came = []

        def script(index, push):
            came.append(time.monotonic())
            return Answer(status=429, headers={"Retry-After": "2"}) if index == 0 else Answer()

        sink.answer(script)
        self.writer.write(10)
        agent = self.start(self.config(sink.url))
        self.wait_in_order(agent, sink)
        self.assertGreaterEqual(came[1] - came[0], 2.0)

    @harness.unittest.skipIf(harness.SANITIZED, "a sanitizer's memory says nothing about the agent's")
    def test_memory_is_flat_while_nobody_listens(self):
        port = free_port()
        agent = self.start(self.config(f"http://127.0.0.1:{port}/loki/api/v1/push"))
        agent.wait_ready()
        # Fill the budget first, so that what is watched is the state that lasts.
        read = [-1.0]

        def reading_has_stopped():
            self.writer.write(50_000, padding=200)
            read.append(agent.metrics().sum("promtail_read_lines_total"))
            return 0 < read[-1] == read[-2]

        wait_until(lambda: f"read {read[-5:]}", reading_has_stopped, pause=1)
        samples = []
        begin = time.monotonic()

        def watched():
            agent.check_running()
            self.writer.write(5000, padding=200)  # 1 MB a time: much more than the budget in all.
            samples.append(agent.rss_kib())
            return time.monotonic() - begin > WATCH_SECONDS

        wait_until("the time is over", watched, timeout=WATCH_SECONDS * 3, pause=0.3)
        print(f"{self.writer.next} lines written, RSS {samples[0]} .. {max(samples)} KiB")
        self.assertLess(max(samples), 64 * 1024)
        self.assertLess(max(samples), samples[0] + 4096)

        sink = self.sink(port)

        self.wait_in_order(agent, sink)
        self.assertEqual(agent.stop()[0], 0)

    def stops_in_time(self, agent):
        code, seconds = agent.stop(timeout=20)
        self.assertEqual(code, 0)
        self.assertLess(seconds, 7)

    def test_stops_in_time_when_the_receiver_is_down_and_loses_nothing(self):
        port = free_port()
        self.writer.write(50000)
        agent = self.start(self.config(f"http://127.0.0.1:{port}/loki/api/v1/push"))
        agent.wait_ready()

        self.stops_in_time(agent)

        sink = self.sink(port)
        agent = self.start(self.config(sink.url))
        self.wait_in_order(agent, sink)

    def test_stops_in_time_when_the_receiver_hangs_and_loses_nothing(self):
        sink = self.sink()
        sink.stall()
        self.writer.write(50000)
        config = self.config(sink.url)
        config["clients"][0]["timeout"] = "60s"
        agent = self.start(config)
        wait_until("a request hangs", lambda: sink.request_count() >= 1)

        self.stops_in_time(agent)

        hung = sum(len(push.entries) for push in sink.pushes)
        sink.flow()
        agent = self.start(self.config(sink.url))
        self.wait_in_order(agent, sink, repeats=hung)

    def test_a_dead_client_does_not_hold_up_the_other(self):
        alive = self.sink()
        dead_port = free_port()
        self.writer.write(20000)
        config = self.config(alive.url, f"http://127.0.0.1:{dead_port}/loki/api/v1/push")
        agent = self.start(config)

        self.wait_in_order(agent, alive)

        revived = self.sink(dead_port)
        self.wait_in_order(agent, revived)
        self.wait_in_order(agent, alive)
        self.check_ledger(agent)
        self.assertEqual(agent.stop()[0], 0)

    def test_a_client_that_was_dead_over_a_restart_gets_the_rest(self):
        alive = self.sink()
        dead_port = free_port()
        self.writer.write(5000)
        config = self.config(alive.url, f"http://127.0.0.1:{dead_port}/loki/api/v1/push")
        agent = self.start(config)
        self.wait_in_order(agent, alive)
        self.assertEqual(agent.stop()[0], 0)

        revived = self.sink(dead_port)
        agent = self.start(config)

        self.wait_in_order(agent, revived)
        # Each output has a position of its own: the one that had everything gets nothing twice.
        self.assertEqual(Tally(alive.taken()).repeats(), 0)


if __name__ == "__main__":
    harness.main()
