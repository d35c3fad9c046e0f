#!/usr/bin/env python3
"""JSON lines over TCP before receivers that reset, stall, dawdle and vanish. What is promised without acknowledgements
is kept: what a lost connection may not have brought over is sent again, by whole lines."""

import collections
import json
import signal

import harness
from harness import free_port, wait_until
from line_sink import Plan
from lines_bed import LinesCase, lines_output
from logstash_bed import sample


class ShapeTest(LinesCase):
    def test_documents_one_a_line_in_order(self):
        sink = self.lines()
        agent = self.run_with(lines_output(sink.address))
        lines = self.write_lines(0, 3000)
        self.wait_messages(sink, lines)
        self.check_once(sink, lines)
        self.check_strict()
        event = sink.events()[0]
        self.assertEqual(event["log"]["file"]["path"], str(self.log_file))
        self.assertEqual(event["labels"]["job"], "test")
        self.assertIn("name", event["host"])
        self.settled(agent)
        self.assertEqual(sample(agent, "sent_entries_total"), 3000)
        self.assertEqual(sample(agent, "best_effort"), 1)
        self.assertEqual(len(sink.connections), 1)

    def test_what_is_no_text_or_no_line_stays_one_line(self):
        sink = self.lines()
        self.run_with(lines_output(sink.address))
        self.write(b"bad \xff byte", b"tab\t and \r return", b"\x00\x01", "umlaut ä", "")
        self.wait_messages(sink, ["bad \ufffd byte", "tab\t and \r return", "\x00\x01", "umlaut ä"])
        self.check_strict()

    def test_a_long_line_is_cut(self):
        sink = self.lines()
        agent = self.run_with(lines_output(sink.address, max_line_size="64KiB"))
        self.write("before", "é" * 200_000, "after")
        self.wait_messages(sink, ["before", "after"])
        cut = sink.messages()[1]
        self.assertEqual(set(cut), {"é"})
        self.assertTrue(60_000 < len(sink.lines[1]) <= 65_536, len(sink.lines[1]))
        self.settled(agent)
        self.assertEqual(sample(agent, "repaired_entries_total"), 1)

    def test_it_warns_that_nobody_acknowledges(self):
        sink = self.lines()
        for required in (True, False):
            config = self.config({**lines_output(sink.address), "required": required})
            path = self.dir / "config.yaml"
            path.write_text(json.dumps(config))
            result = harness.run_agent(self.dir, [f"-config.file={path}", "-check-syntax"])
            text = (result.stdout + result.stderr).decode()
            self.assertEqual(result.returncode, 0, text)
            self.assertEqual("best effort" in text, required, text)


class LossTest(LinesCase):
    def test_a_reset_after_some_lines_loses_none(self):
        sink = self.lines()
        sink.plan(lambda number: Plan(reset_after=300) if number == 0 else None)
        lines = self.write_lines(0, 1000)
        agent = self.run_with(lines_output(sink.address))
        self.wait_messages(sink, lines)
        self.settled(agent)
        self.check_strict()
        self.assertEqual(len(sink.connections), 2)
        # From the first line on that was not committed, which is before what was read.
        again = sink.connections[1].lines
        self.assertEqual([json.loads(line)["message"] for line in again], lines[-len(again) :])
        self.assertGreaterEqual(len(again), 700)
        self.assertGreaterEqual(sample(agent, "retried_entries_total"), 700)
        self.assertEqual(sample(agent, "failed_requests_total"), 1)

    def test_a_close_with_unread_data_loses_none(self):
        sink = self.lines()
        sink.plan(lambda number: Plan(close_after=100) if number == 0 else None)
        lines = self.write_lines(0, 1000)
        agent = self.run_with(lines_output(sink.address))
        self.wait_messages(sink, lines)
        self.settled(agent)
        self.check_strict()

    def test_half_a_line_at_the_end_is_sent_again_whole(self):
        sink = self.lines(buffer=4096)
        # The lines are larger than what fits into the buffers: a connection ends in the midst of one.
        sink.plan(lambda number: Plan(reset_after=2, bytes=1000) if number == 0 else None)
        lines = self.write_lines(0, 8, padding=900_000)
        self.run_with(lines_output(sink.address))
        self.wait_messages(sink, lines)
        self.assertNotEqual(sink.connections[0].fragment, b"")
        self.check_strict()  # No line begins in the middle.

    def test_an_idle_connection_that_ends_is_no_failure(self):
        sink = self.lines()
        agent = self.run_with(lines_output(sink.address))
        for turn, how in enumerate(("close", "reset")):
            lines = self.write_lines(turn * 10, 10)
            self.wait_messages(sink, lines)
            self.settled(agent)
            sink.end_all(how)
            wait_until("it has ended", lambda: sink.open_connections() == 0)
        lines = self.write_lines(100, 10)
        self.wait_messages(sink, lines)
        self.settled(agent)
        self.assertEqual(sample(agent, "failed_requests_total"), 0)
        self.assertEqual(sink.count(), 30)
        self.assertNotIn("connection is lost", agent.log())

    def test_a_server_that_restarts_with_data_in_flight(self):
        sink = self.lines()
        agent = self.run_with(lines_output(sink.address))
        lines = self.write_lines(0, 500)
        self.wait_messages(sink, lines)
        sink.stall()
        lines += self.write_lines(500, 2000)
        wait_until("it is sent", lambda: sample(agent, "queue_batches") > 0)
        sink.close()
        lines += self.write_lines(2500, 500)
        wait_until("it has noticed", lambda: sample(agent, "state", state="retrying") == 1)
        second = self.lines(port=sink.port)
        wait_until("the rest", lambda: set(sink.messages()) | set(second.messages()) == set(lines))
        self.settled(agent)
        self.check_strict()

    def test_a_stuck_reader_that_dies_has_committed_nothing_that_it_has_not_read(self):
        sink = self.lines(buffer=8192)
        sink.plan(lambda number: Plan(deaf=True) if number == 0 else None)
        agent = self.run_with(lines_output(sink.address, commit_delay="100ms"))
        lines = self.write_lines(0, 4000, padding=300)
        wait_until("it is stuck", lambda: sample(agent, "queue_bytes") > 100_000)
        agent.runs_for(1)  # Ten times the delay.
        self.assertEqual(sample(agent, "sent_entries_total"), 0)
        sink.end_all("reset")
        self.wait_messages(sink, lines)
        self.settled(agent)
        self.check_strict()

    def test_kill_loses_nothing_that_was_not_committed(self):
        sink = self.lines()
        # Slow enough that there is always something in flight.
        sink.plan(lambda number: Plan(bytes=20_000, pause=0.002))
        config = self.config(lines_output(sink.address))
        lines = []
        for turn in range(6):
            lines += self.write_lines(turn * 1000, 1000, padding=100)
            agent = self.start(config).wait_ready()
            before = sink.count()
            wait_until("lines come", lambda before=before: sink.count() > before)
            agent.kill()
            self.agents.clear()
        agent = self.start(config).wait_ready()
        self.wait_messages(sink, lines)
        self.settled(agent)
        # A line that the kill cut is a fragment, which no later line is glued to.
        self.check_strict()


class PressureTest(LinesCase):
    def test_a_slow_reader_gets_everything_once(self):
        sink = self.lines(buffer=8192)
        sink.plan(lambda number: Plan(bytes=40_000, pause=0.005))
        agent = self.run_with(lines_output(sink.address))
        lines = self.write_lines(0, 6000, padding=500)
        self.wait_messages(sink, lines, timeout=30)
        self.check_once(sink, lines)
        self.settled(agent)
        self.assertEqual(sample(agent, "failed_requests_total"), 0)

    def test_a_pause_that_is_longer_than_the_user_timeout_is_back_pressure(self):
        sink = self.lines(buffer=8192)
        seconds = 70 if harness.FULL else 4
        timeout = "60s" if harness.FULL else "1500ms"
        agent = self.run_with(lines_output(sink.address, tcp_user_timeout=timeout))
        sink.stall()
        lines = self.write_lines(0, 3000, padding=500)
        wait_until("it is stuck", lambda: sample(agent, "queue_bytes") > 500_000)
        agent.runs_for(seconds)
        sink.flow()
        self.wait_messages(sink, lines)
        self.check_once(sink, lines)
        self.assertEqual(len(sink.connections), 1)

    def test_a_receiver_that_takes_nothing_for_too_long_is_left(self):
        stuck = self.lines(buffer=8192)
        stuck.plan(lambda number: Plan(deaf=True))
        good = self.lines()
        agent = self.run_with(lines_output([stuck.address, good.address], write_stall_limit="500ms"))
        lines = self.write_lines(0, 3000, padding=500)
        self.wait_messages(good, lines)
        self.check_once(good, lines)
        self.settled(agent)
        self.assertIn("taken nothing for too long", agent.log())

    def test_a_machine_that_is_gone_is_left_sooner(self):
        gone, good = self.lines(), self.lines()
        agent = self.run_with(lines_output([gone.address, good.address], tcp_user_timeout="1s"))
        lines = self.write_lines(0, 10)
        self.wait_messages(gone, lines)
        self.settled(agent)
        gone.vanish()
        more = self.write_lines(10, 10)
        self.wait_messages(good, more)
        self.settled(agent)
        self.assertIn("does not answer", agent.log())

    def test_memory_stays_bounded_before_a_receiver_that_is_stuck(self):
        sink = self.lines(buffer=8192)
        sink.stall()
        agent = self.run_with(lines_output(sink.address), limits_config={"memory_budget": "8MiB"})
        lines = self.write_lines(0, 40_000, padding=700)
        wait_until("it is full", lambda: agent.metrics().sum("agent_memory_used_bytes") > 6 << 20)
        agent.runs_for(0.5)
        self.assertLess(agent.metrics().sum("agent_memory_used_bytes"), 12 << 20)
        sink.flow()
        self.wait_messages(sink, lines, timeout=60)
        self.check_once(sink, lines)


class StopTest(LinesCase):
    def test_a_stop_waits_for_the_end_that_the_receiver_makes(self):
        sink = self.lines()
        # Long delays: what makes it quick is the handshake.
        agent = self.run_with(lines_output(sink.address, commit_delay="60s"))
        lines = self.write_lines(0, 2000)
        self.wait_messages(sink, lines)
        code, took = agent.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 4)
        self.assertEqual(sink.connections[0].ending, "eof")
        # All of it was settled: nothing is sent again.
        agent = self.run_with(lines_output(sink.address))
        more = self.write_lines(2000, 1)
        self.wait_messages(sink, more)
        self.check_once(sink, lines + more)

    def test_a_receiver_that_never_answers_the_end_has_acknowledged_nothing(self):
        sink = self.lines()
        agent = self.run_with(lines_output(sink.address, commit_delay="60s"))
        lines = self.write_lines(0, 50)
        self.wait_messages(sink, lines)
        sink.stall()
        code, took = agent.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 8)
        sink.flow()
        self.run_with(lines_output(sink.address))
        wait_until("sent again", lambda: collections.Counter(sink.messages()) == {line: 2 for line in lines})

    def test_a_stop_with_nobody_there_is_quick(self):
        agent = self.run_with(lines_output(f"127.0.0.1:{free_port()}", backoff={"min_period": "30s", "max_period": "60s"}))
        self.write_lines(0, 10)
        wait_until("it has tried", lambda: sample(agent, "state", state="retrying") == 1)
        code, took = agent.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 3)

    def test_reloads_lose_and_repeat_nothing(self):
        sink = self.lines()
        config = self.config(lines_output(sink.address, commit_delay="60s"))
        agent = self.start(config).wait_ready()
        lines = []
        for turn in range(4):
            lines += self.write_lines(turn * 500, 500)
            config["outputs"][0]["logstash"]["batch_max_entries"] = 100 + turn
            agent.write_config(config)
            agent.process.send_signal(signal.SIGHUP)
            done = "promtail_config_reload_success_total"
            wait_until("it is reloaded", lambda turn=turn: agent.metrics().sum(done) == turn + 1)
        self.wait_messages(sink, lines)
        self.check_once(sink, lines)

    def test_closing_now_and_then_makes_real_acknowledgements(self):
        sink = self.lines()
        agent = self.run_with(lines_output(sink.address, ack_by_close_interval="300ms", commit_delay="1ms"))
        lines = []
        for turn in range(4):
            lines += self.write_lines(turn * 100, 100)
            self.wait_messages(sink, lines)
            self.settled(agent)
            self.assertEqual(sink.connections[-1].ending, "eof")
        self.check_once(sink, lines)
        # Without an end that is answered nothing counts.
        sink.plan(lambda number: Plan(reset_after=50) if number == 4 else None)
        lines += self.write_lines(400, 100)
        self.wait_messages(sink, lines)
        self.settled(agent)
        self.assertEqual(sink.connections[-1].ending, "eof")


class HostsTest(LinesCase):
    def test_the_first_host_is_dead(self):
        sink = self.lines()
        agent = self.run_with(lines_output([f"127.0.0.1:{free_port()}", sink.address]))
        lines = self.write_lines(0, 500)
        self.wait_messages(sink, lines)
        self.check_once(sink, lines)
        self.settled(agent)

    def test_the_next_host_takes_over(self):
        first, second = self.lines(), self.lines()
        agent = self.run_with(lines_output([first.address, second.address]))
        lines = self.write_lines(0, 500)
        self.wait_messages(first, lines)
        first.stall()
        more = self.write_lines(500, 500)
        wait_until("it is sent", lambda: sample(agent, "queue_batches") > 0)
        first.close()
        self.wait_messages(second, more)
        self.settled(agent)

    def test_load_is_balanced_and_moves(self):
        sinks = [self.lines() for _ in range(3)]
        agent = self.run_with(lines_output([sink.address for sink in sinks], load_balance=True, batch_max_entries=20))

        def together():
            return collections.Counter(message for sink in sinks for message in sink.messages())

        lines = self.write_lines(0, 3000)
        wait_until("all", lambda: set(together()) == set(lines))
        self.settled(agent)
        self.assertEqual(set(together().values()), {1})
        for sink in sinks:
            self.assertGreater(sink.count(), 0)
        sinks[0].close()
        lines += self.write_lines(3000, 3000)
        wait_until("all of the rest", lambda: set(together()) == set(lines))
        self.settled(agent)
        self.check_strict()

    def test_a_disk_buffer_takes_what_nobody_takes(self):
        port = free_port()
        output = {**lines_output(f"127.0.0.1:{port}"), "buffer": {"type": "disk"}}
        agent = self.run_with(output)
        lines = self.write_lines(0, 3000)
        self.settled(agent)  # On the disk.
        self.assertEqual(agent.stop()[0], 0)
        sink = self.lines(port=port)
        agent = self.run_with(output)
        lines += self.write_lines(3000, 100)
        self.wait_messages(sink, lines)
        self.assertEqual(sink.messages()[:3000], lines[:3000])
        wait_until("it is empty", lambda: agent.metrics().sum("agent_buffer_batches") == 0)
        self.check_strict()


if __name__ == "__main__":
    harness.main()
