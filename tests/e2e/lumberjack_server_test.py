#!/usr/bin/env python3
"""The reference lumberjack server: it takes and refuses what the strict sink does, and obeys."""

import ssl

import harness
from certificates import make_certificate
from harness import wait_until
from lumberjack import Lumberjack
from lumberjack_cases import EVENT, Client, cases, outcome
from lumberjack_frames import batch


class LumberjackServerTest(harness.TestCase):
    def server(self, **more):
        server = Lumberjack(self.dir, **more)
        self.addCleanup(server.kill)
        return server.start()

    def client(self, server, context=None):
        client = Client(server.address, context)
        self.addCleanup(client.close)
        return client

    def test_takes_and_refuses_what_the_strict_sink_does(self):
        server = self.server()
        for case in cases():
            with self.subTest(case.name):
                if not case.stricter:
                    self.assertEqual(outcome(server.address, case), case.want)

    def test_writes_down_what_it_acknowledges(self):
        server = self.server()
        client = self.client(server)
        events = [{"n": 12345678901234567890, "message": "<é\u2028>"}, {"n": 1.50}]
        client.send(batch(events)).read_acks(2)
        client.send(batch([EVENT])).read_acks(1)
        self.assertEqual(server.windows(), [events, [EVENT]])
        server.kill()
        server.start()
        self.client(server).send(batch([{}])).read_acks(1)
        self.assertEqual(server.events(), [*events, EVENT, {}])
        self.assertEqual(server.count(), 4)

    def test_holds_delays_and_ends_as_told(self):
        server = self.server(keepalive=0.05)
        client = self.client(server)
        server.hold()
        client.send(batch([EVENT] * 2))
        self.assertEqual([client.read_ack() for _ in range(3)], [0, 0, 0])
        self.assertEqual(server.count(), 2)
        server.release()
        self.assertEqual(client.read_acks(2)[-1], 2)
        server.delay(0.2)
        self.assertEqual(client.send(batch([EVENT])).read_acks(1)[:2], [0, 0])
        server.close_connections()
        self.assertRaises(EOFError, client.read_ack)
        client = self.client(server)
        server.hold()
        client.send(batch([EVENT]))
        wait_until("it is there", lambda: server.count() == 4)
        server.reset_connections()
        with self.assertRaises(ConnectionResetError):
            while client.read_ack() == 0:
                pass

    def test_asks_for_client_certificates(self):
        paths = {name: make_certificate(self.dir, name) for name in ("server", "agent", "stranger")}
        server = self.server(certificate=paths["server"], client_authority=paths["agent"][0])
        context = ssl.create_default_context(cafile=paths["server"][0])
        context.load_cert_chain(*paths["agent"])
        self.client(server, context).send(batch([EVENT] * 500)).read_acks(500)
        self.assertEqual({line["subject"] for line in server.received()}, {"CN=agent"})
        context.load_cert_chain(*paths["stranger"])
        with self.assertRaises((ssl.SSLError, OSError, EOFError)):
            self.client(server, context).send(batch([EVENT])).read_ack()
        self.assertEqual(server.count(), 500)


if __name__ == "__main__":
    harness.main()
