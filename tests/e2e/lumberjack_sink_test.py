#!/usr/bin/env python3
"""The strict lumberjack sink itself: what it takes, whom it resets, and that it fails as it is told."""

import ssl
import struct

import harness
from certificates import make_certificate
from harness import wait_until
from lumberjack_cases import EVENT, Client, cases, outcome
from lumberjack_frames import batch, event_problems
from lumberjack_sink import HANG_UP, KEEP_ALIVE, RESET, LumberjackSink, ack, garbage


class LumberjackSinkTest(harness.TestCase):
    def sink(self, **more):
        sink = LumberjackSink(**more)
        self.addCleanup(sink.close)
        return sink

    def client(self, sink, context=None):
        client = Client(sink.address, context)
        self.addCleanup(client.close)
        return client

    def test_takes_and_refuses_what_servers_do(self):
        for case in cases():
            with self.subTest(case.name):
                sink = self.sink()
                self.assertEqual(outcome(sink.address, case), case.want)
                if case.want is None:
                    wait_until("it is a violation", lambda: sink.violations)
                else:
                    self.assertEqual(sink.violations, [])
                    self.assertEqual(sink.delivered_count(), sum(case.want))

    def test_whoever_breaks_a_rule_is_reset(self):
        client = self.client(self.sink()).send(b"2Jxxxx")
        self.assertRaises(ConnectionResetError, client.read_ack)

    def test_acknowledges_as_told(self):
        sink = self.sink()
        plans = [
            [KEEP_ALIVE, ack(1), KEEP_ALIVE, ack(3)],
            [ack(9)],
            [garbage(b"HTTP/1")],
            [ack(2), RESET],
        ]
        sink.answer(lambda window: plans[window.number])
        client = self.client(sink)
        self.assertEqual(client.send(batch([EVENT] * 3)).read_acks(3), [0, 1, 0, 3])
        self.assertEqual(client.send(batch([EVENT])).read_ack(), 9)
        self.assertEqual(client.send(batch([EVENT])).read_raw(), b"HTTP/1")
        client.send(batch([{"n": n} for n in range(4)]))
        self.assertEqual(client.read_ack(), 2)
        self.assertRaises(ConnectionResetError, client.read_ack)
        self.assertEqual(sink.delivered(), [EVENT] * 4 + [{"n": 0}, {"n": 1}])
        self.assertEqual(len(sink.received()), 9)

    def test_hangs_up_as_told(self):
        sink = self.sink()
        sink.answer(lambda window: [HANG_UP])
        client = self.client(sink).send(batch([EVENT]))
        self.assertRaises(EOFError, client.read_ack)
        client = self.client(sink)
        wait_until("it is accepted", lambda: sink.connections == 2)
        sink.close_connections()
        self.assertRaises(EOFError, client.read_ack)
        client = self.client(sink)
        wait_until("it is accepted", lambda: sink.connections == 3)
        sink.reset_connections()
        self.assertRaises(ConnectionResetError, client.read_ack)
        wait_until("all are gone", lambda: sink.open_connections() == 0)

    def test_resets_in_the_midst_of_a_window(self):
        sink = self.sink()
        sink.cut(lambda window: 100)
        client = self.client(sink).send(batch([EVENT] * 10, 0))
        self.assertRaises(ConnectionResetError, client.read_ack)
        self.assertEqual(sink.received(), [])
        self.assertEqual(len(sink.windows), 1)

    def test_resets_the_idle_alone(self):
        sink = self.sink(idle_limit=0.2, keepalive=0.05)
        sink.hold()
        client = self.client(sink).send(batch([EVENT]))
        self.assertEqual([client.read_ack() for _ in range(8)], [0] * 8)
        sink.release()
        self.assertEqual(client.read_acks(1)[-1], 1)
        self.assertRaises(ConnectionResetError, client.read_ack)
        self.assertEqual(sink.violations, [])

    def test_counts_windows_in_flight(self):
        sink = self.sink()
        sink.hold()
        client = self.client(sink).send(batch([EVENT]) + batch([EVENT] * 2) + batch([EVENT] * 3))
        wait_until("all are there", lambda: len(sink.received()) == 6)
        self.assertEqual(sink.delivered(), [])
        sink.release()
        self.assertEqual([client.read_ack() for _ in range(3)], [1, 2, 3])
        self.assertEqual(sink.max_in_flight, 3)
        sink.max_in_flight = 0
        for _ in range(20):
            client.send(batch([EVENT])).read_ack()
        self.assertEqual(sink.max_in_flight, 1)

    def test_stalls_and_flows(self):
        sink = self.sink()
        client = self.client(sink)
        client.send(batch([EVENT])).read_ack()
        sink.stall()
        client.send(batch([EVENT] * 2))
        sink.reset_connections()
        self.assertRaises(ConnectionResetError, client.read_ack)
        client = self.client(sink).send(batch([EVENT] * 3))
        sink.flow()
        self.assertEqual(client.read_ack(), 3)
        self.assertEqual(len(sink.received()), 4)

    def test_looks_at_events(self):
        self.assertEqual(event_problems(EVENT), [])
        bad = {"@timestamp": "yesterday", "@metadata": None, "message": 1, "host": "n1", "a": {"b[c]": 1}, "line": "x", "tags": "t"}
        self.assertEqual(len(event_problems(bad)), 9)
        sink = self.sink(check_events=True)
        self.client(sink).send(batch([EVENT, {}])).read_ack()
        self.assertTrue(all("window 0" in violation for violation in sink.violations))
        self.assertEqual(len(sink.violations), 4)  # It need not have a message: lines that are decoded are left out at times.

    def test_speaks_tls_to_those_it_knows(self):
        paths = {name: make_certificate(self.dir, name) for name in ("server", "known", "stranger")}
        sink = self.sink(certificate=paths["server"], client_authority=paths["known"][0])
        for name, welcome in (("known", True), ("stranger", False), (None, False)):
            with self.subTest(name):
                context = ssl.create_default_context(cafile=paths["server"][0])
                if name:
                    context.load_cert_chain(*paths[name])
                client = self.client(sink, context)
                try:
                    # In TLS 1.3 the refusal shows with the first read.
                    got = client.send(batch([EVENT] * 2000)).read_ack()
                except (ssl.SSLError, ConnectionResetError, BrokenPipeError, EOFError):
                    got = None
                self.assertEqual(got, 2000 if welcome else None)
        self.assertEqual(sink.delivered_count(), 2000)
        self.assertEqual(sink.violations, [])

    def test_survives_those_who_leave_in_the_midst(self):
        sink = self.sink()
        self.client(sink).send(batch([EVENT])[:-3]).close()
        self.client(sink).send(b"2").close()
        self.client(sink).send(b"2W" + struct.pack(">I", 1)).close()
        wait_until("they are gone", lambda: sink.connections == 3 and sink.open_connections() == 0)
        self.assertEqual(self.client(sink).send(batch([EVENT])).read_ack(), 1)
        self.assertEqual(sink.violations, [])


if __name__ == "__main__":
    harness.main()
