#!/usr/bin/env python3
"""What deploy/ has for Grafana, Loki and Prometheus works with the real Loki, the real promtool and the real agent:
configurations load, every query parses and finds what the agent ships, every metric that is asked for is there."""

import datetime
import json
import pathlib
import re
import subprocess
import time
import urllib.parse

import harness
import yaml
from deploy_dashboards import DEPLOY, boards, rules, selectors
from harness import base_config, build_server, file_job, http_get, wait_until, write_lines
from loki import Loki
from troubled_agent import TroubledAgent

LOKI_RULES = sorted((DEPLOY / "loki/rules/fake").glob("*.yaml"))
PROMETHEUS_RULES = sorted((DEPLOY / "prometheus/rules").glob("*.yaml"))
TRACE = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
VARIABLES = {
    "environment": "lab",
    "service": "inference-gateway",
    "level": ".+",
    "time_range": "1h",
    "search": "predict",
    "trace_id": TRACE,
    "slow_ms": "300",
    "instance": ".+",
}


def deployed(directory, http, grpc):
    """deploy/loki/loki.yaml, moved to ports and folders of the test."""
    text = (DEPLOY / "loki/loki.yaml").read_text()
    for old, new in (
        ("http_listen_port: 3100", f"http_listen_address: 127.0.0.1\n  http_listen_port: {http}"),
        ("grpc_listen_port: 9096", f"grpc_listen_address: 127.0.0.1\n  grpc_listen_port: {grpc}"),
        ("/etc/loki/rules", str(DEPLOY / "loki/rules")),
        (" /loki", f" {directory}"),
        ("log_level: info", "log_level: warn"),
        ("http://prometheus:9090", "http://127.0.0.1:1"),
        ("http://alertmanager:9093", "http://127.0.0.1:1"),
        ("max_chunk_age: 2h", "max_chunk_age: 2h\n  lifecycler: {min_ready_duration: 0s}"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    return text


def line(at, **fields):
    when = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    return json.dumps({"time": when, "logger": "uvicorn.access", "event": "http_request", **fields})


def gateway_lines(now):
    """What an inference gateway may log, over the last hour and a half."""
    texts = (
        "GET /api/v1/predict",
        "Database connection failed: timeout",
        "Traceback (most recent call last): FeatureNotFound: age",
        "Missing feature",
        "connection refused",
        "container was OOMKilled",
    )
    for number in range(300):
        yield line(
            now - 18 * (299 - number),
            level=("info", "warning", "error")[number % 3],
            message=texts[number % len(texts)],
            trace_id=TRACE if number % 7 == 0 else f"{number:032x}",
            latency_ms=number % 50 * 10.5,
            status_code=(200, 404, 500)[number % 3],
            method="GET",
            model_version=f"v{number % 2}",
            feature="age",
            confidence=0.4,
            user_id="4711",
        )


class DeployLokiTest(harness.TestCase):
    """The real Loki with deploy/loki, filled by the agent with the configuration of deploy/compose/loki."""

    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(harness.tempfile.mkdtemp(prefix="log-agent-deploy-"))
        cls.addClassCleanup(harness.shutil.rmtree, cls.place, ignore_errors=True)
        cls.loki = Loki(cls.place, config=deployed)
        cls.addClassCleanup(cls.loki.stop)
        cls.loki.wait_ready()
        cls.begin = time.time()
        cls.fill()

    @classmethod
    def fill(cls):
        stages = yaml.safe_load((DEPLOY / "compose/loki/agent.yaml").read_text())["scrape_configs"][0]["pipeline_stages"]
        write_lines(cls.place / "gateway.log", gateway_lines(cls.begin))
        write_lines(cls.place / "mlflow.log", ["run 1: experiment failed"])
        write_lines(cls.place / "airflow.log", ["ERROR DAG training failed"])
        service = {"service": "inference-gateway", "environment": "lab"}
        jobs = [
            file_job(cls.place / "gateway.log", "gateway", stages, {**service, "container": "gateway"}),
            file_job(cls.place / "mlflow.log", "mlflow", [], {"namespace": "ml-platform", "app": "mlflow", "pod": "m"}),
            file_job(cls.place / "airflow.log", "airflow", [], {"namespace": "airflow", "pod": "a"}),
            file_job(cls.place / "old.log", "old", stages, service),
        ]
        # Over the whole cluster OOMKilled is looked for by namespace.
        jobs[0]["static_configs"][0]["labels"]["namespace"] = "ml-platform"
        agent = harness.Agent(cls.place, base_config(cls.place, cls.loki.url, jobs))
        try:
            sent = lambda: agent.metrics().sum("promtail_sent_entries_total")
            wait_until(agent.log, lambda: agent.get("/ready")[0] == 200 and sent() == 302, 60)
            write_lines(cls.place / "old.log", [line(cls.begin - 30 * 86400, message="too old")])
            wait_until(agent.log, lambda: agent.metrics().sum("agent_dead_letter_entries_total") == 1, 60)
        finally:
            agent.stop()

    def ask(self, expr, instant=False):
        """The result, a list; whatever Loki says against the query is a failure."""
        now = int(time.time() * 1e9)
        if instant:
            url = "query?" + urllib.parse.urlencode({"query": expr, "time": now})
        else:
            start = now - int(7200e9)
            url = "query_range?" + urllib.parse.urlencode({"query": expr, "start": start, "end": now, "step": "60s"})
        status, text = http_get(f"http://127.0.0.1:{self.loki.port}/loki/api/v1/{url}", timeout=60)
        self.assertEqual(status, 200, f"{expr}\n{text[:500]}")
        return json.loads(text)["data"]["result"]

    def test_every_panel_has_data(self):
        panels = 0
        for board in boards():
            for panel in board.panels:
                if (panel.panel.get("datasource") or {}).get("type") != "loki":
                    continue
                panels += 1
                instant = panel.panel["targets"][0]["queryType"] == "instant"
                for title, expr in panel.queries(VARIABLES):
                    with self.subTest(title):
                        self.assertTrue(self.ask(expr, instant), f"nothing found by {expr}")
        self.assertGreaterEqual(panels, 20)

    def test_what_was_redacted_cannot_be_found(self):
        self.assertEqual(self.ask('{service="inference-gateway"} |= "4711"'), [])

    def test_loki_has_loaded_the_rules_and_each_finds_what_it_is_for(self):
        wanted = {rule.get("alert") or rule["record"] for _, rule in rules(*LOKI_RULES)}
        self.assertGreaterEqual(len(wanted), 15)

        def loaded():
            status, text = http_get(f"http://127.0.0.1:{self.loki.port}/prometheus/api/v1/rules")
            groups = json.loads(text)["data"]["groups"] if status == 200 else []
            return {rule["name"] for group in groups for rule in group["rules"]} == wanted

        wait_until("the ruler has loaded them", loaded, 90, pause=0.5)
        for place, rule in rules(*LOKI_RULES):
            with self.subTest(place):
                self.ask(rule["expr"], instant=True)
                # Without its threshold, and over the whole of the data.
                found = re.sub(r"\s*>\s*[\d.]+\s*$", "", rule["expr"].strip())
                self.assertTrue(self.ask(re.sub(r"\[\d+m\]", "[1h]", found), instant=True), found)
                if "alert" in rule:
                    self.assertIn(rule["labels"]["severity"], ("info", "warning", "critical"))
                    self.assertEqual(set(rule["annotations"]), {"summary", "description"})

    def test_retention_selects_streams(self):
        limits = yaml.safe_load((DEPLOY / "loki/loki.yaml").read_text())["limits_config"]
        for rule in limits["retention_stream"]:
            self.ask(rule["selector"])
        self.assertEqual(len({rule["priority"] for rule in limits["retention_stream"]}), len(limits["retention_stream"]))

    def test_the_metrics_of_loki_that_are_asked_for_exist(self):
        _, text = http_get(f"http://127.0.0.1:{self.loki.port}/metrics")
        have = harness.Metrics(text).names()
        for place, rule in rules(DEPLOY / "prometheus/rules/loki.yaml"):
            for name in selectors(rule["expr"])[0]:
                if name.startswith("loki_"):
                    self.assertIn(name, have, place)
        recorded = {rule["record"] for _, rule in rules(*LOKI_RULES) if "record" in rule}
        asked = {name for _, rule in rules(*PROMETHEUS_RULES) for name in selectors(rule["expr"])[0] if name.startswith("log:")}
        self.assertTrue(asked)
        self.assertLessEqual(asked, recorded)


class DeployFilesTest(harness.TestCase):
    def run_tool(self, *command):
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_loki_verifies_its_configuration(self):
        self.run_tool(build_server("loki"), f"-config.file={DEPLOY / 'loki/loki.yaml'}", "-verify-config")

    def test_promtool_takes_the_rules_and_their_tests_pass(self):
        promtool = build_server("promtool")
        self.run_tool(promtool, "check", "rules", *PROMETHEUS_RULES)
        self.run_tool(promtool, "check", "config", "--syntax-only", DEPLOY / "prometheus/prometheus.yml")
        self.run_tool(promtool, "test", "rules", *sorted((DEPLOY / "prometheus/tests").glob("*.yaml")))
        tested = "".join(path.read_text() for path in (DEPLOY / "prometheus/tests").glob("*.yaml"))
        for place, rule in rules(*PROMETHEUS_RULES):
            if "alert" in rule:
                self.assertIn(rule["alert"], tested, f"{place} has no test")

    def test_promtool_takes_every_query_of_the_dashboards(self):
        queries = [query for board in boards() for panel in board.panels for query in panel.queries(VARIABLES)
                   if panel.panel["datasource"]["type"] == "prometheus"]  # fmt: skip
        self.assertGreaterEqual(len(queries), 40)
        group = {"name": "queries", "rules": [
            {"record": f"query:n{n}", "expr": expr} for n, (_, expr) in enumerate(queries)]}  # fmt: skip
        path = self.dir / "queries.yaml"
        path.write_text(yaml.safe_dump({"groups": [group]}))
        self.run_tool(build_server("promtool"), "check", "rules", path)

    def test_dashboards_are_whole(self):
        uids = [board.json["uid"] for board in boards()]
        self.assertEqual(sorted(uids), ["log-agent", "log-troubleshooting", "logging-overview"])
        for board in boards():
            with self.subTest(board.path.name):
                self.assertIsNone(board.json["id"])
                ids = [panel["id"] for panel in board.json["panels"]]
                self.assertEqual(len(ids), len(set(ids)))
                self.assertLessEqual(board.used_variables(), board.variables())
                cells = set()
                for panel in board.json["panels"]:
                    at = panel["gridPos"]
                    mine = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
                    self.assertFalse(cells & mine, f"{panel['title']} lies over another panel")
                    self.assertLessEqual(at["x"] + at["w"], 24)
                    cells |= mine
                    if panel["type"] != "row":
                        self.assertRegex(panel["datasource"]["uid"], r"^\$\{(loki|prometheus)\}$")
        overview = next(board for board in boards() if board.json["uid"] == "logging-overview")
        self.assertEqual(len(overview.panels), 10)

    def test_what_grafana_is_provisioned_with(self):
        sources = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/datasources.yaml").read_text())["datasources"]
        self.assertEqual([source["uid"] for source in sources], ["loki", "prometheus"])
        fields = sources[0]["jsonData"]["derivedFields"]
        # As the lines look, and as Grafana reads `$$`.
        self.assertEqual(re.search(fields[0]["matcherRegex"], line(0, trace_id=TRACE)).group(1), TRACE)
        self.assertEqual(re.search(fields[1]["matcherRegex"], f"INFO trace_id={TRACE} done").group(1), TRACE)
        board = next(board for board in boards() if board.json["uid"] == "log-troubleshooting")
        for field in fields:
            self.assertEqual(field["url"], "/d/log-troubleshooting?var-trace_id=$${__value.raw}")
        self.assertIn("trace_id", board.variables())
        yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/dashboards.yaml").read_text())


class AgentMetricsTest(harness.TestCase):
    """Every metric and label that the dashboard and the rules of the agent ask for is on its /metrics."""

    def scrape(self):
        troubled = TroubledAgent(self)
        agent = troubled.agent

        def happened():
            troubled.work()
            have = agent.metrics()
            return (
                have.sum("agent_dead_letter_entries_total") > 0
                and have.sum("agent_buffer_spooled_entries_total") > 0
                and have.sum("agent_output_sent_entries_total") > 0
                and have.sum("agent_label_values_exceeded_total") > 0
            )

        wait_until(lambda: agent.metrics().text, happened, 15)
        return agent.metrics()

    def test_they_exist(self):
        have = {}
        for name, labels, _ in self.scrape().samples:
            # As Prometheus stores them: its own job and instance stand in front.
            names = {"exported_job" if label == "job" else label for label in labels} | {"job", "instance"}
            have.setdefault(name, set()).update(names)
        queries = [query for board in boards() for panel in board.panels for query in panel.queries(VARIABLES)
                   if panel.panel["datasource"]["type"] == "prometheus"]  # fmt: skip
        recorded = {}
        for place, rule in rules(DEPLOY / "prometheus/rules/log-agent.yaml"):
            queries.append((place, rule["expr"]))
            if "record" in rule:
                recorded[rule["record"]] = selectors(rule["expr"])[1]
        for place, expr in queries:
            with self.subTest(place):
                asked, grouped = selectors(expr)
                self.assertTrue(asked, expr)
                for name, labels in asked.items():
                    if name == "up":
                        continue
                    self.assertIn(name, have.keys() | recorded.keys())
                    self.assertLessEqual(labels, have.get(name) or recorded[name])
                known = set().union(*(have.get(name) or recorded.get(name, set()) for name in asked))
                self.assertLessEqual(grouped, known)


if __name__ == "__main__":
    harness.main()
