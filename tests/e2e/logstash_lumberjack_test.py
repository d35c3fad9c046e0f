#!/usr/bin/env python3
"""The lumberjack output before a server that does what healthy ones never do: nothing is lost, what is
acknowledged is not sent again, and order is kept."""

import signal

import harness
from harness import free_port, wait_until
from logstash_bed import LogstashCase, messages, output, sample
from lumberjack_sink import HANG_UP, KEEP_ALIVE, RESET, ack, garbage, pause


class DeliveryTest(LogstashCase):
    def test_events_have_their_shape(self):
        sink = self.lumberjack()
        jobs = [harness.file_job(self.log_file, labels={"app": "shop"})]
        agent = self.run_with(output(sink.address, index="logs", pipeline="p", document={"tags": ["x"]}), jobs)
        self.write("plain", b"bad \xff\0 bytes", 'a "quoted" \\ line')
        events = self.wait_delivered(sink, 3)
        self.assertEqual(messages(events), ["plain", "bad \ufffd\0 bytes", 'a "quoted" \\ line'])
        first = events[0]
        self.assertEqual(len(first["@metadata"].pop("_id")), 22)
        version = first["agent"]["version"]
        self.assertEqual(first["@metadata"], {"beat": "logs", "type": "_doc", "version": version, "pipeline": "p"})
        self.assertEqual((first["labels"]["app"], first["tags"]), ("shop", ["x"]))
        self.assertEqual(first["log"], {"file": {"path": str(self.log_file)}, "offset": 0})
        self.assertEqual(len({event["@metadata"].get("_id") for event in events}), 3)
        self.settled(agent)
        self.check_strict()

    def test_many_small_events_come_in_order_in_full_windows(self):
        for level in (0, 3, 9):
            with self.subTest(compression_level=level):
                sink = self.lumberjack()
                self.write_numbers(10_000)
                agent = self.run_with(output(sink.address, compression_level=level))
                self.check_each_once(sink, 10_000)
                self.assertLessEqual(max(window.count for window in sink.windows), 2048)
                self.assertEqual({window.compressed_frames for window in sink.windows}, {1 if level else 0})
                self.assertLessEqual(sink.max_in_flight, 2)
                self.settled(agent)
                self.assertEqual(sample(agent, "sent_entries_total"), 10_000)
                self.assertEqual(agent.stop()[0], 0)
                (self.dir / "positions.yaml").unlink()
                for path in self.dir.glob("positions*"):
                    path.unlink()
                self.log_file.write_bytes(b"")
        self.check_strict()

    def test_pipelining_sends_before_it_is_acknowledged(self):
        sink = self.lumberjack()
        sink.hold()
        self.write_numbers(5_000)
        self.run_with(output(sink.address, pipelining=3, bulk_max_size=500))
        wait_until("three are on their way", lambda: len(sink.windows) == 3)
        sink.release()
        self.check_each_once(sink, 5_000)
        self.assertEqual(sink.max_in_flight, 3)
        self.check_strict()

    def test_a_large_event_goes_alone(self):
        sink = self.lumberjack()
        self.write("first", "x" * (5 << 20), "last")
        self.run_with(output(sink.address))
        events = self.wait_delivered(sink, 3)
        self.assertEqual([len(message) for message in messages(events)], [5, 5 << 20, 4])
        self.assertEqual([window.count for window in sink.windows], [1, 1, 1])
        self.check_strict()

    def test_slow_start_grows(self):
        sink = self.lumberjack()
        self.write_numbers(1_000)
        self.run_with(output(sink.address, slow_start=True, pipelining=1))
        self.check_each_once(sink, 1_000)
        counts = [window.count for window in sink.windows]
        self.assertEqual(counts[:4], [10, 15, 23, 35])
        self.assertLess(len(counts), 15)
        self.check_strict()


class FaultTest(LogstashCase):
    def test_after_a_part_only_the_rest_is_sent_again(self):
        sink = self.lumberjack()
        sink.answer(lambda window: [ack(3), RESET] if window.number == 0 else None)
        self.write_numbers(10)
        agent = self.run_with(output(sink.address))
        self.check_each_once(sink, 10)
        self.assertEqual(messages(sink.windows[1].events), [str(number) for number in range(3, 10)])
        self.assertEqual(sample(agent, "retried_entries_total"), 7)
        self.settled(agent)
        self.check_strict()

    def test_what_servers_do_wrong_loses_nothing(self):
        faults = {
            "reset": [RESET],
            "hang up": [HANG_UP],
            "part and hang up": [ack(1), ack(2), HANG_UP],
            "too high": [ack(11)],
            "far too high": [ack(0xFFFFFFFF)],
            "back": [ack(4), ack(3)],
            "garbage": [garbage(b"HTTP/1.1 400 Bad Request\r\n\r\n")],
            "half a frame": [garbage(b"2A\0\0"), RESET],
            "a frame of ours": [garbage(b"2W\0\0\0\1")],
            "keep-alives and reset": [KEEP_ALIVE, KEEP_ALIVE, RESET],
        }
        sink = self.lumberjack()
        plans = iter([plan for plan in faults.values() for _ in range(2)])
        sink.answer(lambda window: next(plans, None))
        agent = self.run_with(output(sink.address))
        for turn in range(4):
            self.write_numbers(10, first=10 * turn)
            # Acknowledged is what the client believes, too: what was said too high counts as nothing.
            wait_until("all are there", lambda turn=turn: set(messages(sink.received())) >= {str(n) for n in range(10 * turn + 10)})
        wait_until("the faults are over", lambda: next(plans, None) is None or self.write("0"))
        self.settled(agent)
        self.assertGreater(sample(agent, "failed_requests_total"), 10)
        self.check_strict()

    def test_a_reset_in_the_midst_of_a_window(self):
        sink = self.lumberjack()
        sink.cut(lambda window: 5 + 100 * window.number if window.number < 5 else None)
        self.write(*[f"{number:0500}" for number in range(500)])
        self.run_with(output(sink.address, compression_level=0))
        self.check_none_missing(self.wait_delivered(sink, 500), 500)
        self.check_strict()

    def test_keep_alives_are_waited_for(self):
        sink = self.lumberjack(keepalive=0.1)
        sink.hold()
        self.write_numbers(10)
        agent = self.run_with(output(sink.address, timeout="800ms"))
        wait_until("it is there", lambda: sink.received())
        agent.runs_for(2)
        self.assertEqual(sink.connections, 1)
        self.assertEqual(sample(agent, "failed_requests_total"), 0)
        sink.release()
        self.check_each_once(sink, 10)
        self.assertEqual(len(sink.windows), 1)

    def test_silence_is_not_waited_for(self):
        sink = self.lumberjack()
        sink.answer(lambda window: [pause(3)] if window.number == 0 else None)
        self.write_numbers(10)
        self.run_with(output(sink.address, timeout="1s"))
        self.check_each_once(sink, 10)
        self.assertEqual(len(sink.windows), 2)

    def test_a_server_that_stops_reading_is_left(self):
        sink = self.lumberjack()
        sink.stall()
        # Nothing that compresses: what is not read fills the buffers on the way.
        self.write(*[f"{number} {'x' * 4000}" for number in range(5_000)])
        agent = self.run_with(output(sink.address, timeout="1s", compression_level=0))
        wait_until("it has given up", lambda: sample(agent, "failed_requests_total") >= 2)
        sink.flow()
        self.wait_delivered(sink, 5_000, timeout=40)
        self.assertEqual(agent.stop()[0], 0)

    def test_a_stalled_server_is_left_when_asked_for(self):
        sink, other = self.lumberjack(keepalive=0.05), self.lumberjack()
        sink.hold()
        hosts = [sink.address, other.address]
        self.write_numbers(10)
        self.run_with(output(hosts, load_balance=True, ack_stall_limit="1s", backoff={"init": "20s", "max": "60s"}))
        self.check_each_once(other, 10)

    def test_an_idle_reset_is_no_error(self):
        sink = self.lumberjack(idle_limit=0.2)
        agent = self.run_with(output(sink.address))
        for turn in range(3):
            self.write_numbers(1, first=turn)
            self.wait_delivered(sink, turn + 1)
            wait_until("it is closed", lambda: sink.open_connections() == 0)
        self.assertEqual(sink.connections, 3)
        self.assertEqual(sample(agent, "failed_requests_total"), 0)
        self.assertEqual(sample(agent, "retried_entries_total"), 0)
        self.assertNotIn("level=warn", agent.log())

    def test_connections_have_their_time(self):
        sink = self.lumberjack()
        agent = self.run_with(output(sink.address, ttl="200ms"))
        for turn in range(4):
            self.write_numbers(1, first=turn)
            self.wait_delivered(sink, turn + 1)
            wait_until("it is closed", lambda: sink.open_connections() == 0)
        self.assertEqual(sink.connections, 4)
        self.assertEqual(sample(agent, "failed_requests_total"), 0)

    def test_an_event_that_kills_every_connection_goes_to_the_dead_letter(self):
        sink = self.lumberjack()
        sink.answer(lambda window: [RESET] if any("poison" in line for line in messages(window.events)) else None)
        self.write("a", "b", "poison", "c", "d")
        agent = self.run_with(output(sink.address, backoff={"init": "5ms", "max": "10ms"}))
        wait_until("the first half is there", lambda: "b" in messages(sink.delivered()))
        self.write("e")
        wait_until(lambda: messages(sink.delivered()), lambda: sorted(messages(sink.delivered())) == ["a", "b", "c", "d", "e"])
        wait_until("it is written down", self.dead_letters)
        self.settled(agent)
        (letter,) = self.dead_letters()
        self.assertEqual((letter["document"]["message"], letter["output"], letter["source"]), ("poison", "stash", str(self.log_file)))
        self.assertEqual(letter["id"], letter["document"]["@metadata"]["_id"])
        self.assertEqual(sample(agent, "refused_entries_total", reason="fails_always"), 1)


class HostsTest(LogstashCase):
    def test_the_first_host_is_dead(self):
        for balance in (False, True):
            with self.subTest(load_balance=balance):
                sink = self.lumberjack()
                self.write_numbers(2_000)
                agent = self.run_with(output([f"127.0.0.1:{free_port()}", sink.address], load_balance=balance))
                self.check_none_missing(self.wait_delivered(sink, 2_000), 2_000)
                agent.stop()
                for path in self.dir.glob("positions*"):
                    path.unlink()
                self.log_file.write_bytes(b"")

    def test_load_balancing_uses_all(self):
        sinks = [self.lumberjack() for _ in range(3)]
        self.run_with(output([sink.address for sink in sinks], load_balance=True, worker=2, bulk_max_size=100))
        for turn in range(40):
            self.write_numbers(500, first=500 * turn)
        wait_until("all are there", lambda: sum(sink.delivered_count() for sink in sinks) >= 20_000)
        self.check_none_missing([event for sink in sinks for event in sink.delivered()], 20_000)
        for sink in sinks:
            self.assertGreater(sink.delivered_count(), 0)
            self.assertLessEqual(sink.connections, 2)
        self.check_strict()

    def test_one_of_several_is_used_until_it_fails(self):
        sinks = [self.lumberjack(), self.lumberjack()]
        self.run_with(output([sink.address for sink in sinks]))
        self.write_numbers(100)
        wait_until("all are there", lambda: sum(sink.delivered_count() for sink in sinks) == 100)
        used, other = sinks if sinks[0].connections else sinks[::-1]
        self.assertEqual((used.connections, other.connections), (1, 0))
        used.close()
        self.write_numbers(100, first=100)
        self.wait_delivered(other, 100)
        self.check_none_missing(used.delivered() + other.delivered(), 200)

    def test_a_server_that_comes_back_gets_it_all_in_order(self):
        port = free_port()
        self.write_numbers(5_000)
        agent = self.run_with(output(f"127.0.0.1:{port}"))
        wait_until("it has tried", lambda: sample(agent, "failed_requests_total") >= 2)
        sink = self.lumberjack(port=port)
        self.check_each_once(sink, 5_000)
        self.settled(agent)


class ReloadTest(LogstashCase):
    def test_reload_under_load_loses_and_repeats_nothing(self):
        sink = self.lumberjack()
        sink.answer(lambda window: [pause(0.005), ack(window.count)])
        config = self.config(output(sink.address, bulk_max_size=50))
        agent = self.start(config).wait_ready()
        for turn in range(6):
            self.write_numbers(1_000, first=1_000 * turn)
            config["outputs"][0]["logstash"].update(bulk_max_size=50 + turn, compression_level=turn)
            agent.write_config(config)
            agent.process.send_signal(signal.SIGHUP)
            done = "promtail_config_reload_success_total"
            wait_until("it is reloaded", lambda turn=turn: agent.metrics().sum(done) == turn + 1)
        self.check_each_once(sink, 6_000)
        self.check_strict()


class StopTest(LogstashCase):
    def test_stop_waits_for_acknowledgements(self):
        sink = self.lumberjack()
        sink.answer(lambda window: [pause(0.3), ack(window.count)])
        agent = self.run_with(output(sink.address))
        self.write_numbers(100)
        wait_until("it is on its way", lambda: sink.received())
        self.assertEqual(agent.stop()[0], 0)
        self.assertEqual(sink.delivered_count(), 100)
        self.run_with(output(sink.address))
        self.write_numbers(1, first=100)
        self.check_each_once(sink, 101)

    def test_stop_before_a_server_that_hangs_keeps_to_the_deadline(self):
        sink = self.lumberjack(keepalive=0.1)
        sink.hold()
        self.write_numbers(100)
        agent = self.run_with(output(sink.address))
        wait_until("it is on its way", lambda: sink.received())
        code, took = agent.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 8)
        sink.release()
        self.run_with(output(sink.address))
        self.check_none_missing(self.wait_delivered(sink, 100), 100)

    def test_stop_with_nobody_there_is_quick(self):
        agent = self.run_with(output(f"127.0.0.1:{free_port()}", backoff={"init": "30s", "max": "60s"}))
        self.write_numbers(10)
        wait_until("it has tried", lambda: sample(agent, "failed_requests_total") >= 1)
        code, took = agent.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 3)


class BufferTest(LogstashCase):
    def test_through_the_disk_nothing_is_lost_and_order_is_kept(self):
        port = free_port()
        more = {"buffer": {"type": "disk", "path": str(self.dir / "buffer")}}
        agent = self.run_with({**output(f"127.0.0.1:{port}", bulk_max_size=1000), **more})
        self.write_numbers(20_000)
        # On the disk it is settled, though nobody was there.
        self.settled(agent)
        self.assertEqual(agent.stop()[0], 0)
        sink = self.lumberjack(port=port)
        # Windows are smaller than the batches that are on the disk.
        agent = self.run_with({**output(f"127.0.0.1:{port}", bulk_max_size=300, compression_level=0), **more})
        self.write_numbers(100, first=20_000)
        self.check_each_once(sink, 20_100)
        self.assertLessEqual(max(window.count for window in sink.windows), 300)
        self.assertEqual(agent.stop()[0], 0)
        self.check_strict()


if __name__ == "__main__":
    harness.main()
