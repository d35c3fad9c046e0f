#!/usr/bin/env python3
"""Documents and Loki's pushes through nginx as reverse proxies are: TLS that asks for a certificate, bodies that are
too large for it, and too many requests."""

import harness
from elasticsearch_bed import ElasticsearchCase, make_certificates, output
from harness import base_config, file_job, wait_until
from nginx import Nginx


class ProxyCase(ElasticsearchCase):
    def setUp(self):
        super().setUp()
        (self.dir / "tls").mkdir()
        self.certificates = make_certificates(self.dir / "tls")

    def proxy(self, upstream, **more):
        nginx = Nginx(self.dir, upstream.port, self.certificates, **more)
        self.addCleanup(nginx.stop)
        return nginx

    def file(self, name):
        return self.certificates[name]


class ElasticsearchTest(ProxyCase):
    def through(self, nginx, certificate=True, **more):
        ssl = {"certificate_authorities": [self.file("ca.crt")]}
        if certificate:
            ssl.update(certificate=self.file("client.crt"), key=self.file("client.key"))
        return output(nginx.url, ssl=ssl, **more)

    def test_mutual_tls(self):
        sink = self.bulk()
        nginx = self.proxy(sink, mutual=True)
        self.write("a", "b")
        agent = self.run_with(self.through(nginx))
        self.wait_count(sink, 2)
        self.settled(agent)
        self.check_strict()

    def test_without_a_certificate_everything_is_kept(self):
        sink = self.bulk()
        nginx = self.proxy(sink, mutual=True)
        self.write("a")
        agent = self.run_with(self.through(nginx, certificate=False))
        wait_until("it holds", lambda: agent.metrics().sum("agent_output_state", state="holding") == 1)
        self.assertEqual(nginx.statuses(), [400])
        self.assertEqual(self.dead_letters(), [])
        agent.stop()
        agent = self.run_with(self.through(nginx))
        self.wait_count(sink, 1)

    def test_a_body_that_is_too_large_for_the_proxy_is_split(self):
        sink = self.bulk()
        nginx = self.proxy(sink, max_body="8k")
        lines = [f"line {number} " + "x" * 100 for number in range(800)]
        huge = "huge " + "y" * 20_000
        self.write(*lines[:400], huge, *lines[400:])
        agent = self.run_with(self.through(nginx, compression_level=0))
        self.wait_count(sink, 800)
        self.settled(agent)
        self.assertEqual(sorted(each["message"] for each in sink.sources()), sorted(lines))
        self.assertEqual([(each["status"], each["document"]["message"]) for each in self.wait_dead()], [(413, huge)])
        self.assertIn(413, nginx.statuses())
        self.check_strict()

    def test_too_many_requests_are_slowed_down(self):
        sink = self.bulk()
        nginx = self.proxy(sink, rate="5r/s")
        lines = [f"line {number}" for number in range(300)]
        self.write(*lines)
        agent = self.run_with(self.through(nginx, batch_max_entries=30))
        self.wait_count(sink, 300, timeout=30)
        self.settled(agent)
        self.assertEqual(sorted(each["message"] for each in sink.sources()), sorted(lines))
        self.assertIn(429, nginx.statuses())
        self.assertEqual(self.dead_letters(), [])
        self.check_strict()


class LokiTest(ProxyCase):
    def through(self, nginx, certificate=True, **more):
        config = base_config(self.dir, nginx.url + "/loki/api/v1/push", [file_job(self.log_file)])
        tls = {"ca_file": self.file("ca.crt")}
        if certificate:
            tls.update(cert_file=self.file("client.crt"), key_file=self.file("client.key"))
        config["clients"][0].update(tls_config=tls, **more)
        return config

    def shipped(self, agent, sink, lines, timeout=20):
        wait_until(lambda: f"{len(lines)}, there are {sink.taken_count()}", lambda: sink.taken_count() >= len(lines), timeout)
        self.settled(agent)
        self.assertEqual(sink.lines(), lines)
        self.assertEqual(sink.errors, [])

    def test_mutual_tls(self):
        sink = self.sink()
        nginx = self.proxy(sink, mutual=True)
        self.write("a", "b")
        agent = self.start(self.through(nginx)).wait_ready()
        self.shipped(agent, sink, ["a", "b"])

    def test_without_a_certificate_nothing_is_lost(self):
        sink = self.sink()
        nginx = self.proxy(sink, mutual=True)
        self.write("a")
        agent = self.start(self.through(nginx, certificate=False)).wait_ready()
        wait_until("it is refused", lambda: nginx.statuses())
        self.assertEqual(set(nginx.statuses()), {400})
        self.assertEqual(agent.stop()[0], 0)
        self.assertEqual(sink.taken_count(), 0)
        agent = self.start(self.through(nginx)).wait_ready()
        self.shipped(agent, sink, ["a"])

    def test_a_body_that_is_too_large_for_the_proxy_is_split(self):
        sink = self.sink()
        nginx = self.proxy(sink, max_body="8k")
        lines = [f"{number} " + harness.os.urandom(50).hex() for number in range(800)]
        self.write(*lines)
        agent = self.start(self.through(nginx)).wait_ready()
        self.shipped(agent, sink, lines)
        self.assertIn(413, nginx.statuses())

    def test_too_many_requests_are_slowed_down(self):
        sink = self.sink()
        nginx = self.proxy(sink, rate="5r/s")
        lines = [f"line {number} " + "x" * 100 for number in range(300)]
        self.write(*lines)
        agent = self.start(self.through(nginx, batchsize=3000)).wait_ready()
        self.shipped(agent, sink, lines, timeout=30)
        self.assertIn(429, nginx.statuses())


if __name__ == "__main__":
    harness.main()
