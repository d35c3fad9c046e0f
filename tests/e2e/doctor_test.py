#!/usr/bin/env python3
"""agent doctor: set-ups that are broken in one way each, what is said of it, and what it exits with. Against real
receivers, on real file systems, with the rights of other users."""

import json
import os
import pathlib
import socket
import stat
import subprocess
import time

import harness
from bulk_sink import BulkSink, refuse
from certificates import make_certificate
from elasticsearch import Elasticsearch
from fake_docker import FakeDocker
from harness import AGENT, Agent, base_config, file_job, free_port
from loki import Loki
from lumberjack import Lumberjack
from lumberjack_sink import LumberjackSink


class Report:
    """What one run has said."""

    def __init__(self, process):
        self.code = process.returncode
        self.stderr = process.stderr
        answer = json.loads(process.stdout)
        self.findings = answer["findings"]
        self.summary = answer["summary"]

    def marks(self, check):
        return [finding["mark"] for finding in self.findings if finding["check"] == check]

    def find(self, check, mark=None):
        """The first finding of that check; fails when there is none."""
        for finding in self.findings:
            if finding["check"] == check and mark in (None, finding["mark"]):
                return finding
        raise AssertionError(f"no {mark or 'finding'} {check} in\n{self}")

    def failures(self):
        return [finding["check"] for finding in self.findings if finding["mark"] == "failure"]

    def __str__(self):
        return "\n".join(f"{each['mark']} {each['check']}: {each['text']} | {each['fix']}" for each in self.findings)


class DoctorTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        os.chmod(self.dir, 0o755)
        (self.dir / "app.log").write_text("one\ntwo\n")
        self.state = self.dir / "state"
        self.state.mkdir()

    def config(self, url=None, jobs=None, outputs=None, **more):
        config = base_config(self.dir, url or [], jobs or [file_job(self.dir / "app.log", "app")], **more)
        config["positions"]["filename"] = str(self.state / "positions.yaml")
        if outputs:
            config["outputs"] = outputs
        return config

    def run_doctor(self, config, *args, env=None):
        path = self.dir / "agent.yaml"
        path.write_text(config if isinstance(config, str) else json.dumps(config))
        command = [AGENT, "doctor", f"-config.file={path}", *args]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **(env or {})}
        )

    def doctor(self, config, *args, env=None):
        return Report(self.run_doctor(config, "-format=json", *args, env=env))

    def loki(self, **more):
        loki = Loki(self.dir, **more)
        self.addCleanup(loki.stop)
        return loki.wait_ready()


class FlagsTest(DoctorTest):
    def test_wrong_flags_are_2(self):
        for args in (["-format=xml"], ["-timeout=soon"], ["-nonsense"], ["-user"], ["-user", "nobody-of-that-name"]):
            with self.subTest(args):
                process = self.run_doctor(self.config(), *args)
                self.assertEqual((process.returncode, process.stdout), (2, ""))
                self.assertTrue(process.stderr)
        process = subprocess.run([AGENT, "doctor"], capture_output=True, text=True, check=False)
        self.assertEqual(process.returncode, 2)
        self.assertIn("-config.file is missing", process.stderr)

    def test_help_has_the_exit_codes(self):
        process = subprocess.run([AGENT, "doctor", "-help"], capture_output=True, text=True, check=True)
        self.assertIn("Exit codes", process.stdout)
        self.assertIn("-send-test", process.stdout)

    def test_a_configuration_with_errors(self):
        report = self.doctor("clients: [{url: 'http://localhost:1/loki/api/v1/push'}]\nscrape_confgs: []\n")
        self.assertEqual(report.code, 1)
        self.assertIn("agent.yaml:2:1: unknown key 'scrape_confgs'", report.find("config.error")["text"])

    def test_colours_only_where_they_are_wanted(self):
        config = self.config(f"http://127.0.0.1:{free_port()}/loki/api/v1/push")
        self.assertNotIn("\x1b", self.run_doctor(config).stdout)
        self.assertIn("\x1b[", self.run_doctor(config, "-color").stdout)

    def test_strict_makes_failures_of_warnings(self):
        sink = self.sink()
        (self.dir / "old.log").write_bytes(b"\x1f\x8b\x08\0rest")
        config = self.config(sink.url, [file_job(self.dir / "*.log", "app")])
        self.assertEqual(self.doctor(config).marks("files.kind"), ["warning"])
        self.assertEqual(self.doctor(config, "-strict").code, 1)
        quiet = self.run_doctor(config, "-quiet").stdout
        self.assertIn("warning", quiet)
        self.assertNotIn("  ok ", quiet)


class LokiTest(DoctorTest):
    def test_all_is_well_with_a_real_one(self):
        loki = self.loki()
        report = self.doctor(self.config(loki.url), "-send-test")
        self.assertEqual((report.code, report.failures()), (0, []), report)
        for check in ("receiver.connect", "loki.push", "loki.ready", "loki.rate", "clock.skew",
                      "files.matches", "state.positions", "inotify.watches", "test.found"):  # fmt: skip
            self.assertEqual(report.marks(check)[:1], ["ok"], f"{check} in\n{report}")
        self.assertEqual(len(loki.query('{job="agent-doctor"}', time.time_ns() - 10**11, time.time_ns() + 10**9)), 1)
        self.assertEqual(list(self.state.iterdir()), [], "something was left behind")

    def test_nothing_is_stored_without_being_asked_to(self):
        loki = self.loki()
        self.doctor(self.config(loki.url))
        self.assertEqual(loki.query('{job=~".+"}', time.time_ns() - 10**11, time.time_ns() + 10**9), [])

    def test_a_tenant_is_missing(self):
        loki = self.loki(auth=True)
        config = self.config(loki.url)
        report = self.doctor(config)
        self.assertEqual(report.code, 1)
        self.assertIn("tenant_id", report.find("loki.tenant", "failure")["fix"])
        config["clients"][0]["tenant_id"] = "team"
        self.assertEqual(self.doctor(config).failures(), [])

    def test_what_the_running_agent_says(self):
        loki = self.loki()
        config = self.config(loki.url)
        agent = self.start(config).wait_ready()
        harness.wait_until("it is sent", lambda: agent.metrics().sum("promtail_sent_entries_total") >= 2)
        report = self.doctor(config)
        self.assertEqual(report.failures(), [], report)
        self.assertEqual(report.marks("running.ready"), ["ok"])
        self.assertIn("2 entries acknowledged", report.find("running.sent")["text"])
        self.assertIn(f"pid {agent.process.pid}", report.find("state.lock")["text"])
        self.assertEqual(report.marks("listeners.own"), ["ok"])
        self.assertIn("1 stream", report.find("loki.recent", "ok")["text"])
        loki.stop()
        harness.write_lines(self.dir / "app.log", ["three"])
        harness.wait_until("it is in the way", lambda: "retrying" in agent.get("/outputs?format=json")[1])
        report = self.doctor(config)
        self.assertIn("receiver.connect", report.failures())
        self.assertIn("running.output", report.failures())


class ReceiverTest(DoctorTest):
    def test_black_holes_cost_seconds_alone(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)  # Takes connections, and is silent.
        self.addCleanup(listener.close)
        port = listener.getsockname()[1]
        dead = free_port()
        outputs = [
            {"name": "es", "elasticsearch": {"hosts": [f"http://127.0.0.1:{port}", f"https://127.0.0.1:{dead}"]}},
            {"name": "tls", "elasticsearch": {"hosts": [f"https://127.0.0.1:{port}"]}},
            {"name": "stash", "logstash": {"hosts": [f"127.0.0.1:{dead}", "no-such-host.invalid:5044"]}},
        ]
        config = self.config([f"http://127.0.0.1:{port}/loki/api/v1/push"], outputs=outputs)
        begin = time.monotonic()
        report = self.doctor(config, "-timeout=1s")
        self.assertLess(time.monotonic() - begin, 20 if harness.SANITIZED else 8)
        self.assertEqual(report.code, 1)
        for check in ("loki.push", "elasticsearch.answer", "receiver.tls", "receiver.connect", "receiver.name"):
            self.assertIn(check, report.failures(), report)

    def test_certificates(self):
        good = make_certificate(self.dir, "good")
        other = make_certificate(self.dir, "other", "DNS:example.org")
        for name, shown, tls, want, text in [
            ("unknown authority", good, {}, "receiver.certificate", "did not sign"),
            ("for another", other, {"ca_file": str(other[0])}, "receiver.certificate", "is for DNS:example.org"),
            ("file is missing", good, {"ca_file": "/none/ca.pem"}, "receiver.file", "/none/ca.pem"),
        ]:
            with self.subTest(name):
                sink = BulkSink(certificate=shown)
                self.addCleanup(sink.close)
                report = self.doctor(self.config(outputs=[{"name": "es", "elasticsearch": {"hosts": [sink.url], "tls_config": tls}}]))
                self.assertIn(text, report.find(want, "failure")["text"])
        sink = BulkSink(certificate=good)
        self.addCleanup(sink.close)
        report = self.doctor(self.config(outputs=[{"name": "es", "elasticsearch": {"hosts": [sink.url], "tls_config": {"ca_file": str(good[0])}}}]))
        # It ends tomorrow, and is good until then.
        self.assertEqual((report.failures(), report.marks("receiver.certificate")), ([], ["warning"]), report)

    def test_elasticsearch_that_wants_a_password(self):
        sink = BulkSink(authorization="Basic bWU6c2VjcmV0")
        self.addCleanup(sink.close)
        output = {"name": "es", "elasticsearch": {"hosts": [sink.url]}}
        self.assertIn("elasticsearch.auth", self.doctor(self.config(outputs=[output])).failures())
        output["elasticsearch"]["basic_auth"] = {"username": "me", "password": "secret"}
        process = self.run_doctor(self.config(outputs=[output]))
        self.assertEqual(process.returncode, 0, process.stdout)
        self.assertNotIn("secret", process.stdout + process.stderr)
        self.assertEqual(sink.bulks(), [])

    def test_a_real_opensearch(self):
        node = Elasticsearch(self.dir, settings={"action.auto_create_index": "false"})
        self.addCleanup(node.kill)
        node.start()
        config = self.config(outputs=[{"name": "es", "elasticsearch": {"hosts": [node.url], "index": "logs-%{+yyyy.MM.dd}"}}])
        report = self.doctor(config)
        self.assertEqual(report.failures(), [], report)
        self.assertIn("OpenSearch", report.find("elasticsearch.version")["text"])
        self.assertEqual(report.marks("elasticsearch.health"), ["ok"])
        self.assertEqual(report.marks("elasticsearch.auto_create"), ["warning"])
        node.call("PUT", "/_cluster/settings", {"persistent": {"action.auto_create_index": "true"}})
        report = self.doctor(config, "-send-test")
        self.assertEqual(report.marks("test.found"), ["ok"], report)
        index = next(iter(node.call("GET", "/logs-*/_settings")[1]))
        node.call("PUT", f"/{index}/_settings", {"index.blocks.write": True})
        self.assertIn(index, self.doctor(config).find("elasticsearch.block", "failure")["text"])

    def test_logstash(self):
        certificate = make_certificate(self.dir, "stash")
        server = Lumberjack(self.dir, certificate=certificate)
        self.addCleanup(server.kill)
        server.start()
        plain = {"name": "stash", "logstash": {"hosts": [server.address]}}
        self.assertIn("failure", [mark for check in ("logstash.closed", "logstash.protocol") for mark in self.doctor(self.config(outputs=[plain])).marks(check)])
        secure = {"name": "stash", "logstash": {"hosts": [server.address], "tls_config": {"ca_file": str(certificate[0])}}}
        report = self.doctor(self.config(outputs=[secure]))
        self.assertEqual((report.failures(), report.marks("logstash.protocol")), ([], ["ok"]), report)
        self.assertEqual(server.events(), [])

    def test_logstash_that_wants_a_certificate_of_ours(self):
        certificate = make_certificate(self.dir, "stash")
        sink = LumberjackSink(certificate=certificate, client_authority=str(certificate[0]))
        self.addCleanup(sink.close)
        output = {"name": "stash", "logstash": {"hosts": [sink.address], "tls_config": {"ca_file": str(certificate[0])}}}
        report = self.doctor(self.config(outputs=[output]))
        self.assertTrue({"logstash.closed", "receiver.tls"} & set(report.failures()), report)

    def test_a_pipeline_that_is_not_there(self):
        sink = BulkSink()
        self.addCleanup(sink.close)
        sink.answer(lambda request: refuse(404) if "_ingest" in request.path else None)
        output = {"name": "es", "elasticsearch": {"hosts": [sink.url], "pipeline": "parse"}}
        report = self.doctor(self.config(outputs=[output]))
        self.assertIn("there is no ingest pipeline parse", report.find("elasticsearch.pipeline", "failure")["text"])


class MachineTest(DoctorTest):
    def setUp(self):
        super().setUp()
        self.receiver = self.sink()

    def as_nobody(self, config, *args):
        if os.geteuid() != 0:
            raise harness.unittest.SkipTest("only root can look with another user's rights")
        return self.doctor(config, "-user=nobody", *args)

    def test_a_file_and_a_folder_that_nobody_may_read(self):
        secret = self.dir / "secret.log"
        secret.write_text("x\n")
        secret.chmod(0o600)
        closed = self.dir / "closed"
        closed.mkdir(mode=0o700)
        (closed / "a.log").write_text("x\n")
        config = self.config(self.receiver.url, [file_job(self.dir / "*.log", "app"), file_job(closed / "*.log", "closed")])
        report = self.as_nobody(config)
        self.assertEqual(report.code, 1)
        self.assertEqual(report.find("files.permission")["fix"], f"setfacl -m u:nobody:r {secret}")
        self.assertIn(str(closed), report.find("files.folder", "failure")["text"])
        # What it says is what helps.
        secret.chmod(0o644)
        closed.chmod(0o755)
        self.assertEqual([c for c in self.as_nobody(config).failures() if c.startswith("files.")], [])

    def test_root_may_what_others_may_not(self):
        secret = self.dir / "secret.log"
        secret.write_text("x\n")
        secret.chmod(0o600)
        self.assertEqual(self.doctor(self.config(self.receiver.url, [file_job(secret, "app")])).failures(), [])

    def test_groups_of_the_user(self):
        log = self.dir / "adm.log"
        log.write_text("x\n")
        if os.geteuid() != 0:
            raise harness.unittest.SkipTest("only root can look with another user's rights")
        os.chown(log, 0, 4)
        log.chmod(0o640)
        config = self.config(self.receiver.url, [file_job(log, "app")])
        self.assertIn("usermod -aG adm nobody", self.doctor(config, "-user=nobody").find("files.permission")["fix"])
        self.assertEqual(self.doctor(config, "-user=nobody:adm").marks("files.permission"), [])

    def test_a_state_folder_of_somebody_else(self):
        report = self.as_nobody(self.config(self.receiver.url))
        self.assertEqual(report.find("state.positions", "failure")["fix"], f"chown nobody {self.state}")
        os.chown(self.state, 65534, -1)
        self.assertEqual(self.as_nobody(self.config(self.receiver.url)).failures(), [])
        self.assertEqual(list(self.state.iterdir()), [])

    def test_a_disk_that_is_full(self):
        mount = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(self.state)], capture_output=True, text=True
        )
        if mount.returncode != 0:
            raise harness.unittest.SkipTest(f"needs root to mount a small tmpfs: {mount.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.state)], check=False)
        self.assertEqual(self.doctor(self.config(self.receiver.url)).marks("state.positions.lasting"), ["warning"])
        try:
            with open(self.state / "filler", "wb", buffering=0) as filler:
                while True:
                    filler.write(b"x" * 1024)
        except OSError:
            pass
        report = self.doctor(self.config(self.receiver.url))
        self.assertIn("No space left", report.find("state.positions", "failure")["text"])

    def test_a_lock_that_another_agent_holds(self):
        config = self.config(self.receiver.url)
        agent = Agent(self.dir, config, name="other")
        self.agents.append(agent)
        agent.wait_ready()
        config["server"]["http_listen_port"] = free_port()
        report = self.doctor(config)
        self.assertIn(f"pid {agent.process.pid}", report.find("state.lock", "note")["text"])
        # Nothing has been taken from it: another one is refused by it, as before.
        second = subprocess.run([AGENT, f"-config.file={self.dir / 'agent.yaml'}"], capture_output=True, check=False, timeout=30)
        self.assertEqual(second.returncode, 1)
        self.assertEqual(agent.stop()[0], 0)
        self.assertEqual(self.doctor(config).marks("state.lock"), [])

    def test_a_link_that_leads_nowhere(self):
        (self.dir / "pods").mkdir()
        (self.dir / "pods/a.log").symlink_to("/var/lib/docker/containers/none/none-json.log")
        report = self.doctor(self.config(self.receiver.url, [file_job(self.dir / "pods/*.log", "pods")]))
        self.assertIn("a link leads nowhere", report.find("files.link", "failure")["text"])

    def test_a_port_that_is_taken_and_one_that_is_not_allowed(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        job = {"job_name": "syslog", "syslog": {"listen_address": f"127.0.0.1:{taken.getsockname()[1]}"}}
        report = self.doctor(self.config(self.receiver.url, [job]))
        self.assertIn("job syslog", report.find("listeners.taken", "failure")["text"])
        if int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) > 514:
            job["syslog"]["listen_address"] = "127.0.0.1:514"
            report = self.as_nobody(self.config(self.receiver.url, [job]))
            self.assertIn("CAP_NET_BIND_SERVICE", report.find("listeners.privileged")["fix"])

    def test_docker(self):
        daemon = FakeDocker(self.dir)
        self.addCleanup(daemon.close)
        job = {"job_name": "docker", "docker_sd_configs": [{"host": daemon.host}]}
        config = self.config(self.receiver.url, [job])
        daemon.refuse = lambda path: 403
        self.assertIn("docker.answer", self.doctor(config).failures())
        os.chmod(daemon.socket, stat.S_IRUSR | stat.S_IWUSR)
        report = self.as_nobody(config)
        self.assertIn("docker.permission", report.failures(), report)
        daemon.close()
        self.assertIn("docker.socket", self.doctor(config).failures())


if __name__ == "__main__":
    harness.main()
