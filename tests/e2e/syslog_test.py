#!/usr/bin/env python3
"""The agent as a syslog server: over TCP, TLS and UDP, with senders that behave and senders that do not, through
outages, reloads and restarts; and util-linux' own sender."""

import json
import shutil
import signal
import socket
import ssl
import subprocess

import harness
from harness import wait_until
from syslog_bed import SHOW_ALL, Sender, SyslogCase, counted, message


class SyslogTest(SyslogCase):
    def test_lines_and_counted_messages(self):
        agent = self.start(self.config(relabel=[SHOW_ALL])).wait_ready()
        lines, octets = Sender(self.port), Sender(self.port)
        octets.send(counted(message("counted 1")) + counted(message("counted\n2"))[:20])
        lines.send(message("line 1\n  at a\n", 11) + message("line 2\n") + message("line 3"))
        self.wait_lines("counted 1", "line 1\n  at a", "line 2")
        octets.send(counted(message("counted\n2"))[20:])
        lines.close()
        self.wait_lines("counted 1", "counted\n2", "line 1\n  at a", "line 2", "line 3")

        self.assertEqual(
            self.labels()["line 1\n  at a"],
            {
                "job": "syslog",
                "connection_ip_address": "127.0.0.1",
                "message_severity": "error",
                "message_facility": "user",
                "message_hostname": "host",
                "message_app_name": "app",
                "message_proc_id": "12",
                "message_msg_id": "id",
            },
        )
        wait_until("one connection is left", lambda: agent.metrics().sum("agent_syslog_connections") == 1)
        metrics = agent.metrics()
        self.assertEqual(metrics.sum("promtail_syslog_target_entries_total"), 5)
        self.assertEqual(metrics.sum("promtail_syslog_target_parsing_errors_total"), 0)
        (target,) = json.loads(agent.get("/targets?format=json")[1])["jobs"][0]["targets"]
        self.assertIn("1 connection", target["files"][0]["state"])

    def test_the_last_line_does_not_wait_for_another(self):
        agent = self.start(self.config()).wait_ready()
        sender = Sender(self.port).send(message("alone\n"))
        self.wait_lines("alone")
        self.assertEqual(agent.metrics().sum("agent_syslog_connections"), 1)
        sender.close()

    def test_udp(self):
        agent = self.start(self.config(listen_protocol="udp", max_message_length=1000)).wait_ready()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(("127.0.0.1", self.port))
            for data in (message("one"), message("two\n") + message("three"), message("x" * 2000), b"garbage", b"", message("")):
                sender.send(data)
        cut = "x" * (1000 - len(message("")))
        self.wait_lines("one", "two", "three", cut, "garbage")
        metrics = agent.metrics()
        self.assertEqual(metrics.sum("agent_syslog_messages_cut_total"), 1)
        self.assertEqual(metrics.sum("promtail_syslog_target_parsing_errors_total"), 1)
        self.assertEqual(metrics.sum("promtail_syslog_empty_messages_total"), 1)

    def test_bad_senders_hurt_nobody(self):
        agent = self.start(self.config(idle_timeout="1s")).wait_ready()
        good = Sender(self.port)
        http = Sender(self.port).send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        length = Sender(self.port).send(counted(message("before")) + b"12x34 " + message("lost"))
        half = Sender(self.port).send(b"500 " + message("half"))
        broken = Sender(self.port).send(message("ok\n") + b"<13>1 yesterday h a p m - odd\n<oops\n" + message("then\n"))
        self.assertTrue(http.wait_closed())
        self.assertTrue(length.wait_closed())
        half.close()
        good.send(counted(message("good")))
        self.wait_lines("before", "half", "ok", "yesterday h a p m - odd", "<oops", "then", "good")
        self.assertTrue(broken.wait_closed(), "idle for longer than idle_timeout")
        metrics = agent.metrics()
        self.assertEqual(metrics.sum("agent_syslog_connections_refused_total", reason="not_syslog"), 1)
        self.assertEqual(metrics.sum("promtail_syslog_target_parsing_errors_total"), 4)
        self.assertGreaterEqual(metrics.sum("agent_syslog_connections_idle_closed_total"), 1)
        self.assertIn("what it sends is no syslog", agent.log())

    def test_many_connections(self):
        agent = self.start(self.config()).wait_ready()
        senders = [Sender(self.port) for _ in range(300)]
        for number, sender in enumerate(senders):
            sender.send(counted(message(f"from {number}")))
        self.wait_lines(*(f"from {number}" for number in range(300)))
        self.assertEqual(agent.metrics().sum("agent_syslog_connections"), 300)
        for sender in senders:
            sender.close()
        wait_until("all are closed", lambda: agent.metrics().sum("agent_syslog_connections") == 0)

    def test_rules_drop_single_messages(self):
        rule = {"source_labels": ["__syslog_message_severity"], "regex": "debug", "action": "drop"}
        agent = self.start(self.config(relabel=[rule])).wait_ready()
        Sender(self.port).send(message("keep 1\n") + message("drop\n", 7) + message("keep 2\n")).close()
        self.wait_lines("keep 1", "keep 2")
        self.assertEqual(agent.metrics().sum("agent_syslog_messages_dropped_total", job="syslog"), 1)

    def test_stages_and_the_senders_time(self):
        config = self.config(use_incoming_timestamp=True, use_rfc5424_message=True)
        config["scrape_configs"][0]["pipeline_stages"] = [{"static_labels": {"stage": "seen"}}]
        self.start(config).wait_ready()
        Sender(self.port).send(message("text\n")).close()
        self.wait_lines(message("text").decode())
        (entry,) = self.receiver.taken()
        self.assertEqual(entry.ts, 1683356889123456000)
        self.assertEqual(entry.labels, {"job": "syslog", "stage": "seen"})

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.port))
            taken.listen()
            agent = self.start(self.config())
            self.wait_error(agent, "Address already in use")
        Sender(self.port).send(message("later\n"))
        self.wait_lines("later")

    def test_nothing_is_lost_over_tcp_while_the_receiver_is_down(self):
        self.check_nothing_lost(lambda: Sender(self.port, wait=120), self.config())

    def test_reload_and_restart(self):
        agent = self.start(self.config()).wait_ready()
        Sender(self.port).send(counted(message("before")))
        wait_until("taken", lambda: agent.metrics().sum("promtail_syslog_target_entries_total") == 1)
        old = Sender(self.port).send(message("half of a message"))
        wait_until("connected", lambda: agent.metrics().sum("agent_syslog_connections") == 1)
        config = self.config(labels={"job": "new"})
        config["server"] = json.loads(agent.config_path.read_text())["server"]
        agent.write_config(config)
        agent.process.send_signal(signal.SIGHUP)
        self.assertTrue(old.wait_closed())
        Sender(self.port).send(message("after\n")).close()
        self.wait_lines("before", "half of a message", "after")
        self.assertEqual(self.labels()["after"]["job"], "new")

        # What has come, and was not read yet, comes out at the stop as well.
        last = Sender(self.port).send(message("at the stop\n"))
        wait_until("connected", lambda: agent.metrics().sum("agent_syslog_connections_accepted_total") == 2)
        code, _ = agent.stop()
        self.assertEqual(code, 0)
        self.wait_lines("before", "half of a message", "after", "at the stop")
        last.close()

    def test_logger(self):
        if shutil.which("logger") is None:
            self.skipTest("there is no logger")
        self.start(self.config(relabel=[SHOW_ALL])).wait_ready()
        call = ["logger", "--server", "127.0.0.1", "--port", str(self.port), "--rfc5424", "-p", "local3.warning", "-t", "test"]
        subprocess.run([*call, "--tcp", "by lines"], check=True)
        subprocess.run([*call, "--tcp", "--octet-count", "--msgid", "M1", "by length"], check=True)
        self.wait_lines("by lines", "by length")
        labels = self.labels()["by length"]
        self.assertEqual(
            (labels["message_app_name"], labels["message_severity"], labels["message_facility"], labels["message_msg_id"]),
            ("test", "warning", "local3", "M1"),
        )

    def test_logger_of_old(self):
        if shutil.which("logger") is None:
            self.skipTest("there is no logger")
        config = self.config(relabel=[SHOW_ALL], syslog_format="rfc3164", listen_protocol="udp")
        self.start(config).wait_ready()
        call = ["logger", "--server", "127.0.0.1", "--port", str(self.port), "--udp", "--rfc3164", "-t", "test", "--id=77", "old"]
        subprocess.run(call, check=True)
        self.wait_lines("old")
        labels = self.labels()["old"]
        self.assertEqual((labels["message_app_name"], labels["message_proc_id"]), ("test", "77"))


class TlsTest(SyslogCase):
    def setUp(self):
        super().setUp()
        if shutil.which("openssl") is None:
            self.skipTest("there is no openssl")
        for name in ("ca", "stranger"):
            self.openssl(*f"req -x509 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem".split())
        self.sign("server", "ca", "subjectAltName=DNS:localhost")
        self.sign("client", "ca", "extendedKeyUsage=clientAuth")
        self.sign("other", "stranger", "extendedKeyUsage=clientAuth")

    def openssl(self, *arguments):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] if arguments[0] == "req" else []
        subprocess.run(["openssl", *arguments, *key], cwd=self.dir, check=True, capture_output=True)

    def sign(self, name, ca, extension):
        (self.dir / f"{name}.ext").write_text(extension)
        self.openssl(*f"req -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr".split())
        self.openssl(
            *f"x509 -req -in {name}.csr -CA {ca}.pem -CAkey {ca}.key -CAcreateserial -days 2 -extfile {name}.ext -out {name}.pem".split()
        )

    def tls(self, **more):
        return {"cert_file": str(self.dir / "server.pem"), "key_file": str(self.dir / "server.key"), **more}

    def context(self, client=None, version=None):
        context = ssl.create_default_context(cafile=str(self.dir / "ca.pem"))
        if version is not None:
            context.maximum_version = version
        if client is not None:
            context.load_cert_chain(self.dir / f"{client}.pem", self.dir / f"{client}.key")
        return context

    def test_tls(self):
        agent = self.start(self.config(tls_config=self.tls())).wait_ready()
        Sender(self.port, self.context()).send(counted(message("newest"))).close()
        old = Sender(self.port, self.context(version=ssl.TLSVersion.TLSv1_2))
        old.send(counted(message("older")) + counted(message("large " + "x" * 8000)))
        plain = Sender(self.port).send(message("in the clear\n"))
        self.assertTrue(plain.wait_closed())
        self.wait_lines("newest", "older", "large " + "x" * 8000)
        wait_until("refused", lambda: agent.metrics().sum("agent_syslog_connections_refused_total", reason="tls_handshake") == 1)
        self.assertEqual(agent.metrics().sum("agent_syslog_connections"), 1)

    def test_client_certificates(self):
        agent = self.start(self.config(tls_config=self.tls(ca_file=str(self.dir / "ca.pem")))).wait_ready()
        Sender(self.port, self.context("client")).send(counted(message("known"))).close()
        for client in ("other", None):
            with self.assertRaises(OSError):
                # With TLS 1.3 a client learns only when it reads that it was refused.
                refused = Sender(self.port, self.context(client)).send(counted(message("refused")))
                if not refused.wait_closed():
                    self.fail("the connection goes on")
                raise OSError("closed")
        self.wait_lines("known")
        wait_until("refused", lambda: agent.metrics().sum("agent_syslog_connections_refused_total", reason="tls_handshake") == 2)

    def test_nothing_is_lost_while_the_receiver_is_down(self):
        self.check_nothing_lost(lambda: Sender(self.port, self.context(), wait=120), self.config(tls_config=self.tls()))

    def test_a_certificate_that_is_not_there_yet(self):
        cert = self.dir / "server.pem"
        cert.rename(self.dir / "elsewhere")
        agent = self.start(self.config(tls_config=self.tls()))
        self.wait_error(agent, "server.pem")
        (self.dir / "elsewhere").rename(cert)
        Sender(self.port, self.context()).send(counted(message("later"))).close()
        self.wait_lines("later")


if __name__ == "__main__":
    harness.main()
