#!/usr/bin/env python3
"""The lumberjack output before the reference server: kills, restarts, TLS with and without client certificates.

AGENT_KILL_CYCLES: how many kills (default 10)."""

import os
import random
import shutil

import harness
from certificates import make_certificate
from harness import wait_until
from logstash_bed import LogstashCase, messages, output, sample
from lumberjack import Lumberjack
from writer import RotatingWriter, number_of

CYCLES = int(os.environ.get("AGENT_KILL_CYCLES", "100" if harness.FULL else "10"))


class ReferenceCase(LogstashCase):
    def server(self, **more):
        server = Lumberjack(self.dir, **more)
        self.addCleanup(server.kill)
        return server.start()

    def wait_events(self, server, count, timeout=20):
        wait_until(lambda: f"{count} events, there are {server.count()}", lambda: server.count() >= count, timeout)
        return server.events()


class DeliveryTest(ReferenceCase):
    def test_every_event_once_and_in_order(self):
        server = self.server()
        self.write_numbers(30_000)
        agent = self.run_with(output(server.address))
        self.assertEqual(messages(self.wait_events(server, 30_000)), [str(number) for number in range(30_000)])
        self.settled(agent)
        self.assertEqual(sample(agent, "retried_entries_total"), 0)

    def test_a_restarted_server_and_a_blocked_one(self):
        server = self.server(keepalive=0.1)
        agent = self.run_with(output(server.address, timeout="1s"))
        for turn in range(4):
            self.write_numbers(2_000, first=2_000 * turn)
            self.wait_events(server, 2_000 * turn + 1)
            server.reset_connections() if turn % 2 else server.close_connections()
            server.kill()
            server.start()
        server.hold()
        self.write_numbers(100, first=8_000)
        agent.runs_for(1.5)
        server.release()
        wait_until("all are there", lambda: len(set(messages(server.events()))) == 8_100)
        self.settled(agent)

    def test_kills_lose_nothing(self):
        server = self.server()
        rng = random.Random(5)
        writer = RotatingWriter(self.log_file)
        jobs = [harness.file_job(f"{self.log_file}*")]
        config = self.config(output(server.address, batch_wait="10ms", bulk_max_size=100), jobs)
        writer.write(1)
        agent = self.start(config)
        self.wait_events(server, 1)
        agent.stop()
        for _ in range(CYCLES):
            server.delay(rng.choice([0, 0.001, 0.02]))
            agent = self.start(config)
            for _ in range(rng.randrange(1, 5)):
                writer.write(rng.randrange(1, 400))
                if rng.random() < 0.4:
                    writer.rotate()
            if rng.random() < 0.8:
                agent.wait_ready()
            agent.runs_for(rng.random() * 0.15)
            agent.kill()
            self.agents.clear()
        server.delay(0)
        agent = self.start(config).wait_ready()

        def complete():
            return len({number_of(message) for message in messages(server.events())}) == writer.next

        wait_until(lambda: f"{server.count()} for {writer.next}", complete, timeout=60, pause=0.1)
        self.assertEqual(agent.stop()[0], 0)
        # What was sent twice can be told: the same line has the same id.
        ids = {}
        for event in server.events():
            ids.setdefault(number_of(event["message"]), set()).add(event["@metadata"]["_id"])
        self.assertEqual({number: each for number, each in ids.items() if len(each) > 1}, {})
        self.assertEqual(len({next(iter(each)) for each in ids.values()}), writer.next)


class TlsTest(ReferenceCase):
    def setUp(self):
        super().setUp()
        self.server_paths = make_certificate(self.dir, "server")
        self.own_paths = make_certificate(self.dir, "agent")

    def ssl(self, **more):
        return {"certificate_authorities": [str(self.server_paths[0])], **more}

    def own(self):
        return {"certificate": str(self.own_paths[0]), "key": str(self.own_paths[1])}

    def test_a_server_is_verified(self):
        server = self.server(certificate=self.server_paths)
        agent = self.run_with(output(server.address, ssl=self.ssl()))
        self.write_numbers(3_000)
        self.assertEqual(messages(self.wait_events(server, 3_000)), [str(number) for number in range(3_000)])
        self.settled(agent)

    def test_what_is_not_trusted_gets_nothing(self):
        elsewhere = make_certificate(self.dir, "elsewhere", "DNS:elsewhere.example")
        server = self.server(certificate=elsewhere)
        stranger = make_certificate(self.dir, "stranger")
        ours = {"certificate_authorities": [str(elsewhere[0])]}
        refused = [{"certificate_authorities": [str(stranger[0])]}, ours, {}]
        taken = [{**ours, "verification_mode": "certificate"}, {"verification_mode": "none"}]
        self.write_numbers(10)
        for ssl in refused:
            with self.subTest(ssl=ssl):
                agent = self.run_with(output(server.address, ssl=ssl))
                wait_until("it is refused", lambda agent=agent: "TLS is refused" in agent.log())
                agent.stop()
                self.assertEqual(server.count(), 0)
        for turn, ssl in enumerate(taken, 1):
            with self.subTest(ssl=ssl):
                agent = self.run_with(output(server.address, ssl=ssl))
                self.write_numbers(1, first=9 + turn)
                self.wait_events(server, 10 + turn)
                agent.stop()

    def test_client_certificates(self):
        server = self.server(certificate=self.server_paths, client_authority=self.own_paths[0])
        self.write_numbers(100)
        # Nobody, and somebody whom the server does not know; then the right one, in the same files.
        cert, key = make_certificate(self.dir, "stranger")
        agent = self.run_with(output(server.address, ssl=self.ssl()))
        wait_until("it is refused", lambda: "TLS is refused" in agent.log())
        agent.stop()
        agent = self.run_with(output(server.address, ssl=self.ssl(certificate=str(cert), key=str(key))))
        wait_until("it is refused", lambda: sample(agent, "failed_requests_total") > 1)
        self.assertEqual(server.count(), 0)
        self.assertEqual(agent.metrics().sum("agent_output_state", output="stash", state="holding"), 1)
        shutil.copy(self.own_paths[1], key)
        shutil.copy(self.own_paths[0], cert)
        self.wait_events(server, 100)
        self.assertEqual({line["subject"] for line in server.received()}, {"CN=agent"})
        self.settled(agent)

    def test_a_secret_is_nowhere_to_be_read(self):
        server = self.server(certificate=self.server_paths)
        ssl = self.ssl(**self.own(), key_passphrase="pass-phrase-secret")
        agent = self.run_with(output(server.address, ssl=ssl))
        self.write_numbers(10)
        self.wait_events(server, 10)
        for path in ("/config", "/config?format=yaml", "/outputs", "/metrics", "/targets"):
            self.assertNotIn("pass-phrase-secret", agent.get(path)[1])
        self.assertIn("key_passphrase: <secret>", agent.get("/config?format=yaml")[1])
        self.assertNotIn("pass-phrase-secret", agent.log())


if __name__ == "__main__":
    harness.main()
