#!/usr/bin/env python3
"""deploy/compose, read by the library behind `docker compose config`, and its configurations run by the agent against
receivers of our own."""

import datetime
import json
import os
import pathlib
import re
import subprocess

import harness
import yaml
from bulk_sink import BulkSink
from deploy_dashboards import DEPLOY
from harness import AGENT, ROOT, build_server, free_port, wait_until, write_lines
from lumberjack_sink import LumberjackSink

COMPOSE = DEPLOY / "compose"
STACKS = ("loki", "sidecar", "elk")


class ComposeTest(harness.TestCase):
    def load(self, stack, *options, **environment):
        """(exit code, standard error, project)."""
        variables = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "DOCKER_GID": "999", **environment}
        command = [build_server("compose"), *options, str(COMPOSE / stack / "compose.yaml")]
        result = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
        return result.returncode, result.stderr, json.loads(result.stdout) if result.returncode == 0 else None

    def services(self, stack, *options, **environment):
        code, errors, project = self.load(stack, *options, **environment)
        self.assertEqual((code, errors), (0, ""))
        return project["services"]

    def ports(self, services):
        return {name: sorted(int(port["published"]) for port in one.get("ports", [])) for name, one in services.items()}

    def test_ports_are_those_that_people_know_and_open_to_this_host_alone(self):
        loki = self.services("loki", "-profile", "demo")
        elk = self.services("elk", "-profile", "logstash")

        self.assertEqual(self.ports(loki), {"loki": [3100], "grafana": [3000], "prometheus": [9090], "log-agent": [9080],
                                            "inference-gateway": []})  # fmt: skip
        self.assertEqual(self.ports(elk), {"elasticsearch": [9200, 9300], "kibana": [5601], "logstash": [5044, 9600],
                                           "log-agent": [9080]})  # fmt: skip
        for services in (loki, elk):
            for one in services.values():
                self.assertEqual({port["host_ip"] for port in one.get("ports", [])} - {"127.0.0.1"}, set())
        self.assertEqual(self.services("loki", BIND="0.0.0.0")["loki"]["ports"][0]["host_ip"], "0.0.0.0")

    def test_what_is_mounted_is_there(self):
        for stack in STACKS:
            for name, one in self.services(stack, "-profile", "logstash").items():
                for volume in one.get("volumes", []):
                    source = pathlib.Path(volume["source"])
                    if volume["type"] == "bind" and source.is_relative_to(ROOT):
                        self.assertTrue(source.exists(), f"{stack} {name}: {source}")
                        self.assertTrue(volume.get("read_only"), f"{stack} {name}: {source}")

    def test_whatever_is_not_the_agent_has_a_health_check_and_a_version(self):
        for stack in ("loki", "elk"):
            for name, one in self.services(stack, "-profile", "logstash").items():
                if name == "log-agent":  # The image has its own.
                    continue
                self.assertIn("healthcheck", one, name)
                self.assertRegex(one["image"], r":v?\d+\.\d+")

    def test_the_agent_may_read_and_nothing_else(self):
        for stack in STACKS:
            agent = self.services(stack)["log-agent"]
            self.assertTrue(agent["read_only"])
            self.assertEqual(agent["cap_drop"], ["ALL"])
            self.assertIn(agent.get("cap_add"), (None, ["DAC_READ_SEARCH"]))
            self.assertNotIn("user", agent)
            mounts = {volume["target"]: volume for volume in agent["volumes"]}
            self.assertEqual([target for target in mounts if not mounts[target].get("read_only")], ["/var/lib/log-agent"])
        self.assertNotIn("cap_add", self.services("sidecar")["log-agent"])

    def test_a_group_that_is_missing_is_said_with_what_to_do(self):
        code, errors, _ = self.load("loki", DOCKER_GID="")

        self.assertEqual(code, 1)
        self.assertIn("export DOCKER_GID=$(stat -c %g /var/run/docker.sock)", errors)

    def test_grafana_and_prometheus_find_what_is_mounted(self):
        services = self.services("loki")
        mounts = {volume["target"] for name in ("grafana", "prometheus", "loki") for volume in services[name]["volumes"]}
        provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/dashboards.yaml").read_text())["providers"][0]
        self.assertIn(provider["options"]["path"], mounts)
        rules = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["rule_files"][0]
        self.assertIn(rules.rsplit("/", 1)[0], mounts)
        # Every address in a configuration is a service of the stack, and on its network.
        text = "".join((DEPLOY / name).read_text() for name in (
            "compose/loki/agent.yaml", "prometheus/prometheus.yml", "grafana/provisioning/datasources/datasources.yaml"))  # fmt: skip
        hosts = set(re.findall(r"(?:http://|\[)([a-z-]+):\d+", text)) - {"alertmanager"}
        self.assertEqual(hosts, {"loki", "prometheus", "log-agent"})
        self.assertLessEqual(hosts, services.keys())
        self.assertEqual({tuple(one["networks"]) for one in services.values()}, {("monitoring",)})

    def test_the_agents_configurations_have_no_problem(self):
        for path in sorted(COMPOSE.glob("*/agent*.yaml")):
            environment = {**os.environ, "LOKI_URL": "http://loki:3100/loki/api/v1/push"}
            result = subprocess.run([AGENT, f"-config.file={path}", "-config.expand-env=true", "-check-syntax"],
                                    capture_output=True, text=True, env=environment, check=False)  # fmt: skip
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.assertNotIn("warning", result.stdout + result.stderr)

    def run_stack(self, name, changes, **environment):
        """The agent with a configuration of the stack, in folders and at ports of the test."""
        text = (COMPOSE / name).read_text()
        changes = {"http_listen_port: 9080": f"http_listen_address: 127.0.0.1\n  http_listen_port: {free_port()}",
                   "/var/lib/log-agent": str(self.dir / "state"), "/var/log": str(self.dir), **changes}  # fmt: skip
        for old, new in changes.items():
            self.assertIn(old, text)
            text = text.replace(old, new)
        return self.start(text, args=["-config.expand-env=true"], env=environment)

    def platform_lines(self):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        (self.dir / "ml-platform").mkdir()
        write_lines(self.dir / "ml-platform/app.log", [
            json.dumps({"timestamp": now, "level": "info", "message": "Epoch 3, loss: 0.25", "job_type": "training"}),
            json.dumps({"timestamp": now, "level": "ERROR", "message": "no memory", "gpu_id": 1, "trace_id": "abc"}),
            "plain text",
        ])  # fmt: skip

    def check_documents(self, documents):
        training, gpu, plain = (documents[text] for text in ("Epoch 3, loss: 0.25", "no memory", "plain text"))
        self.assertEqual((training["epoch"], training["loss"]), (3, 0.25))
        self.assertEqual(training["labels"]["job_type"], "training")
        self.assertEqual((gpu["gpu_id"], gpu["log"]["level"], gpu["trace"]["id"]), (1, "error", "abc"))
        for one in (training, gpu, plain):
            self.assertEqual((one["environment"], one["cluster"], one["labels"]["service"]), ("lab", "local", "ml-platform"))

    def test_elk_straight(self):
        sink = BulkSink()
        self.addCleanup(sink.close)
        self.platform_lines()

        self.run_stack("elk/agent.yaml", {"http://elasticsearch:9200": sink.url}, ENVIRONMENT="lab")

        wait_until("three documents", lambda: sink.count() == 3)
        self.assertEqual(sink.violations, [])
        self.check_documents({one["message"]: one for one in sink.sources()})
        training = sink.sources("ml-logs-training-*")
        self.assertEqual([one["message"] for one in training], ["Epoch 3, loss: 0.25"])

    def test_elk_by_way_of_logstash(self):
        sink = LumberjackSink()
        self.addCleanup(sink.close)
        self.platform_lines()

        self.run_stack("elk/agent-logstash.yaml", {"logstash:5044": f"127.0.0.1:{sink.port}"}, ENVIRONMENT="lab")

        wait_until("three events", lambda: sink.delivered_count() == 3)
        events = sink.delivered()
        self.check_documents({one["message"]: one for one in events})
        # What elk/logstash/ml-logs.conf makes the id of.
        self.assertEqual(len({one["@metadata"]["_id"] for one in events}), 3)

    def test_sidecar(self):
        sink = self.sink()
        (self.dir / "app").mkdir()
        write_lines(self.dir / "app/app.log", ['{"level":"info","trace_id":"t"}', "Traceback", "  at line 1", "end"])

        self.run_stack("sidecar/agent.yaml", {}, LOKI_URL=sink.url, SERVICE="shop")

        wait_until("three entries", lambda: sink.taken_count() == 3)
        first = next(entry for entry in sink.taken() if entry.meta)
        self.assertEqual((first.labels["service"], first.labels["level"], first.meta), ("shop", "info", {"trace_id": "t"}))
        self.assertIn("Traceback\n  at line 1", [entry.line for entry in sink.taken()])


if __name__ == "__main__":
    harness.main()
