#!/usr/bin/env python3
"""The real Prometheus with deploy/prometheus: it scrapes an agent that is at work, loads the rules, and every panel of the
agent's dashboard has data."""

import json
import subprocess
import urllib.parse

import harness
import yaml
from deploy_dashboards import DEPLOY, boards, rules
from harness import build_server, free_port, http_get, wait_until
from troubled_agent import TroubledAgent

PROMETHEUS_RULES = sorted((DEPLOY / "prometheus/rules").glob("*.yaml"))
VARIABLES = {"instance": ".+"}
# Panels that are empty as long as all is well.
ONLY_IN_TROUBLE = {
    "Files Farthest Behind (A)": "all files are read to their end",
}


class Prometheus:
    """With deploy/prometheus/prometheus.yml, moved to a port and folders of the test, and with short intervals."""

    def __init__(self, directory, agent_port):
        self.port = free_port()
        text = (DEPLOY / "prometheus/prometheus.yml").read_text()
        for old, new in (
            ("scrape_interval: 15s", "scrape_interval: 1s"),
            ("evaluation_interval: 1m", "evaluation_interval: 1s"),
            ("/etc/prometheus/rules", str(DEPLOY / "prometheus/rules")),
            ("alertmanager:9093", "127.0.0.1:1"),
            ("log-agent:9080", f"127.0.0.1:{agent_port}"),
            ("loki:3100", "127.0.0.1:1"),
        ):
            assert old in text, old
            text = text.replace(old, new)
        (directory / "prometheus.yml").write_text(text)
        self.log_path = directory / "prometheus.log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [build_server("prometheus"), f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/tsdb",
                 f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver"],
                stdout=log, stderr=log, cwd=directory,
            )  # fmt: skip

    def get(self, path, **parameters):
        status, text = http_get(f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=30)
        if status != 200:
            raise AssertionError(f"{path} {parameters}: {status} {text[:500]}")
        return json.loads(text)["data"]

    def ask(self, expr):
        return self.get("query", query=expr)["result"]

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(self.log_path.read_text()[-2000:])
        return http_get(f"http://127.0.0.1:{self.port}/-/ready")[0] == 200

    def stop(self):
        self.process.kill()
        self.process.wait()


class DeployPrometheusTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        build_server("prometheus")
        self.troubled = TroubledAgent(self)
        self.agent = self.troubled.agent
        self.prometheus = Prometheus(self.dir, self.agent.port)
        self.addCleanup(self.prometheus.stop)
        wait_until("Prometheus is ready", self.prometheus.ready, 60, pause=0.1)

    def test_it_scrapes_the_agent_and_every_panel_has_data(self):
        panels = [panel for board in boards() if board.json["uid"] == "log-agent" for panel in board.panels
                  if (panel.panel.get("datasource") or {}).get("type") == "prometheus"]  # fmt: skip
        queries = {title.split(": ", 1)[1]: expr for panel in panels for title, expr in panel.queries(VARIABLES)}
        self.assertGreaterEqual(len(queries), 45)
        empty = set(queries)

        def all_answered():
            self.agent.check_running()
            self.troubled.work()
            for title in sorted(empty):
                if self.prometheus.ask(queries[title]):
                    empty.discard(title)
            return empty <= set(ONLY_IN_TROUBLE)

        wait_until(lambda: f"no data: {sorted(empty - set(ONLY_IN_TROUBLE))}", all_answered, 60, pause=1)
        self.assertEqual(self.prometheus.ask('up{job="log-agent"}')[0]["value"][1], "1")
        self.assertEqual([t["lastError"] for t in self.prometheus.get("targets")["activeTargets"] if t["labels"]["job"] == "log-agent"], [""])

    def test_it_loads_the_rules_and_evaluates_them(self):
        wanted = sorted(rule.get("alert") or rule["record"] for _, rule in rules(*PROMETHEUS_RULES))

        def evaluated():
            self.troubled.work()
            groups = self.prometheus.get("rules")["groups"]
            found = [rule for group in groups for rule in group["rules"]]
            self.assertEqual([rule["lastError"] for rule in found if rule.get("lastError")], [])
            return sorted(rule["name"] for rule in found) == wanted and all(rule["health"] == "ok" for rule in found)

        wait_until(lambda: str(self.prometheus.get("rules"))[:3000], evaluated, 60, pause=0.5)
        for path in PROMETHEUS_RULES:
            for group in yaml.safe_load(path.read_text())["groups"]:
                for rule in group["rules"]:
                    self.prometheus.ask(rule["expr"])
        # What a group records of an agent at work.
        recorded = {rule["record"] for _, rule in rules(DEPLOY / "prometheus/rules/log-agent.yaml") if "record" in rule}

        def all_recorded():
            self.troubled.work()
            return all(self.prometheus.ask(name) for name in recorded)

        wait_until(lambda: f"{ {n: len(self.prometheus.ask(n)) for n in recorded} }", all_recorded, 60, pause=0.5)


if __name__ == "__main__":
    harness.main()
