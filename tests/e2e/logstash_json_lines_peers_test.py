#!/usr/bin/env python3
"""JSON lines over TLS and UDP, and to a real rsyslog."""

import ssl

import harness
from certificates import make_certificate
from elasticsearch_bed import make_certificates
from harness import free_port, wait_until
from line_sink import DatagramSink, Plan
from lines_bed import LinesCase, lines_output
from logstash_bed import sample
from rsyslog import Rsyslog


class TlsTest(LinesCase):
    def setUp(self):
        super().setUp()
        (self.dir / "tls").mkdir()
        self.certificates = make_certificates(self.dir / "tls")

    def pair(self, name):
        return self.certificates[f"{name}.crt"], self.certificates[f"{name}.key"]

    def output(self, sink, **ssl_keys):
        return lines_output(sink.address, ssl={"enabled": True, "certificate_authorities": [self.certificates["ca.crt"]], **ssl_keys})

    def test_lines_over_tls_and_the_end(self):
        sink = self.lines(certificate=self.pair("server"))
        agent = self.run_with(self.output(sink))
        lines = self.write_lines(0, 5000, padding=200)
        self.wait_messages(sink, lines)
        self.check_once(sink, lines)
        self.settled(agent)
        self.assertEqual(agent.stop()[0], 0)
        self.check_strict()

    def test_a_stop_is_answered_over_tls(self):
        sink = self.lines(certificate=self.pair("server"))
        config = self.config({**self.output(sink)})
        config["outputs"][0]["logstash"]["commit_delay"] = "60s"
        agent = self.start(config).wait_ready()
        lines = self.write_lines(0, 100)
        self.wait_messages(sink, lines)
        code, took = agent.stop()
        self.assertEqual((code, took < 4), (0, True))
        self.start(config).wait_ready()
        more = self.write_lines(100, 1)
        self.wait_messages(sink, more)
        self.check_once(sink, lines + more)

    def test_a_reset_over_tls_loses_none(self):
        sink = self.lines(certificate=self.pair("server"))
        sink.plan(lambda number: Plan(reset_after=200) if number == 0 else None)
        lines = self.write_lines(0, 2000, padding=200)
        agent = self.run_with(self.output(sink))
        self.wait_messages(sink, lines)
        self.settled(agent)
        self.check_strict()

    def test_a_client_certificate(self):
        sink = self.lines(certificate=self.pair("server"), client_authority=self.certificates["ca.crt"])
        cert, key = self.pair("client")
        self.run_with(self.output(sink, certificate=cert, key=key))
        lines = self.write_lines(0, 100)
        self.wait_messages(sink, lines)

    def refused(self, sink, output):
        self.write_lines(0, 10)
        agent = self.run_with(output)
        wait_until("it holds", lambda: sample(agent, "state", state="holding") == 1)
        self.assertIn("TLS is refused", agent.log())
        self.assertEqual(sink.count(), 0)
        self.assertEqual(sample(agent, "sent_entries_total"), 0)
        return agent

    def test_a_certificate_of_a_stranger_is_refused(self):
        sink = self.lines(certificate=make_certificate(self.dir, "self", "IP:127.0.0.1"))
        self.refused(sink, self.output(sink))

    def test_a_certificate_for_another_name_is_refused(self):
        sink = self.lines(certificate=self.pair("misnamed"))
        self.refused(sink, self.output(sink))

    def test_a_client_certificate_that_is_refused_is_no_delivery(self):
        sink = self.lines(certificate=self.pair("server"), client_authority=self.certificates["ca.crt"])
        self.assertTrue(ssl.HAS_TLSv1_3)
        self.refused(sink, self.output(sink))


class UdpTest(LinesCase):
    def datagrams(self, port=0):
        sink = DatagramSink(port)
        self.addCleanup(sink.close)
        return sink

    def test_an_event_is_a_datagram(self):
        sink = self.datagrams()
        agent = self.run_with(lines_output(sink.address, transport="udp"))
        lines = self.write_lines(0, 500)
        self.wait_messages(sink, lines)
        self.assertEqual(sink.messages(), lines)
        self.assertEqual(sink.violations(), [])
        self.settled(agent)

    def test_a_message_is_cut_to_fit(self):
        sink = self.datagrams()
        agent = self.run_with(lines_output(sink.address, transport="udp"))
        self.write("a" * 5000, '"' * 5000, "€" * 5000, "short")
        self.wait_messages(sink, ["short"])
        self.assertTrue(all(len(data) <= 1400 for data in sink.datagrams))
        self.assertTrue(all(len(data) > 1300 for data in sink.datagrams[:3]))
        self.assertEqual(sink.violations(), [])
        self.settled(agent)
        self.assertEqual(sample(agent, "repaired_entries_total"), 3)

    def test_what_does_not_fit_without_its_message_is_a_dead_letter(self):
        sink = self.datagrams()
        output = lines_output(sink.address, transport="udp", max_datagram="600")
        agent = self.run_with(output, [harness.file_job(self.log_file, labels={"long": "x" * 700})])
        self.write("one", "two")
        wait_until("refused", lambda: sample(agent, "refused_entries_total", reason="too_large") == 2)
        self.settled(agent)
        letters = b"".join(path.read_bytes() for path in (self.dir / "dead-letter").rglob("*") if path.is_file())
        self.assertIn(b'"message":"one"', letters)
        self.assertEqual(sink.count(), 0)

    def test_a_closed_port_is_asked_slowly_and_loses_none_at_the_start(self):
        port = free_port()
        lines = self.write_lines(0, 300)
        agent = self.run_with(lines_output(f"127.0.0.1:{port}", transport="udp"))
        wait_until("it is refused", lambda: sample(agent, "failed_requests_total") >= 3)
        self.assertEqual(sample(agent, "sent_entries_total"), 0)
        sink = self.datagrams(port)
        self.wait_messages(sink, lines)
        self.settled(agent)

    def test_a_port_that_closes_later_loses_what_was_just_sent(self):
        sink = DatagramSink()
        agent = self.run_with(lines_output(sink.address, transport="udp"))
        lines = self.write_lines(0, 100)
        self.wait_messages(sink, lines)
        sink.close()
        self.write("lost")
        more = self.write_lines(200, 100)
        wait_until("it is refused", lambda: sample(agent, "failed_requests_total") >= 2)
        second = self.datagrams(sink.port)
        # On this machine the answer comes at once: one datagram at most.
        wait_until("the others", lambda: len(set(more) - set(second.messages())) <= 1)
        self.settled(agent)

    def test_a_refusal_at_the_stop_keeps_to_the_deadline(self):
        agent = self.run_with(lines_output(f"127.0.0.1:{free_port()}", transport="udp"))
        self.write_lines(0, 100)
        wait_until("it is refused", lambda: sample(agent, "failed_requests_total") >= 1)
        code, took = agent.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 8)


class RsyslogTest(LinesCase):
    def test_it_takes_lines(self):
        for module in ("imtcp", "imptcp"):
            with self.subTest(module=module):
                (self.dir / module).mkdir()
                server = Rsyslog(self.dir / module, module).start()
                self.addCleanup(server.kill)
                self.log_file.write_bytes(b"")
                agent = self.run_with(lines_output(server.address))
                lines = self.write_lines(0, 5000, padding=100)
                self.wait_messages(server, lines)
                self.check_once(server, lines)
                self.settled(agent)
                agent.stop()
                self.agents.clear()
                for path in self.dir.glob("positions*"):
                    path.unlink()

    def test_a_stop_has_its_answer_after_everything_is_read(self):
        server = Rsyslog(self.dir).start()
        self.addCleanup(server.kill)
        config = self.config(lines_output(server.address, commit_delay="60s"))
        lines = self.write_lines(0, 5000, padding=100)
        agent = self.start(config).wait_ready()
        wait_until("it comes", lambda: server.count() > 0)
        code, took = agent.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 7)
        agent = self.start(config).wait_ready()
        self.wait_messages(server, lines)
        more = self.write_lines(5000, 10)
        self.wait_messages(server, more)
        self.check_once(server, lines + more)

    def test_kills_and_restarts_of_it(self):
        server = Rsyslog(self.dir).start()
        self.addCleanup(server.kill)
        agent = self.run_with(lines_output(server.address, commit_delay="1s"))
        lines = []
        for turn in range(3):
            lines += self.write_lines(turn * 2000, 2000, padding=100)
            before = server.count()
            wait_until("it comes", lambda before=before: server.count() > before)
            server.kill()
            lines += self.write_lines(turn * 2000 + 50_000, 100)
            server.start()
        self.wait_messages(server, lines, timeout=30)
        self.settled(agent)


if __name__ == "__main__":
    harness.main()
