#!/usr/bin/env python3
"""What the agent shows: /metrics under Promtail's names, /ready, /targets, /config."""

import json

import harness
from harness import base_config, file_job, wait_until, write_lines

# Of what Promtail has, all that its dashboards and alerts ask for and that this agent can fill.
NAMES = """
promtail_build_info promtail_config_reload_success_total promtail_config_reload_fail_total
promtail_encoded_bytes_total promtail_sent_bytes_total promtail_sent_entries_total
promtail_dropped_bytes_total promtail_dropped_entries_total promtail_mutated_entries_total
promtail_mutated_bytes_total promtail_request_duration_seconds_count promtail_request_duration_seconds_bucket
promtail_request_duration_seconds_sum promtail_batch_retries_total promtail_read_bytes_total
promtail_file_bytes_total promtail_read_lines_total promtail_files_active_total promtail_targets_active_total
process_cpu_seconds_total process_resident_memory_bytes process_open_fds process_start_time_seconds
agent_ledger_read_bytes_total agent_ledger_settled_bytes_total agent_ledger_in_flight_bytes
""".split()


class MetricsTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.dir / "app.log"
        self.receiver = self.sink()
        write_lines(self.path, [json.dumps({"level": ("info", "debug")[n % 2], "n": n}) for n in range(1000)])
        stages = [
            {"json": {"expressions": {"level": None}}},
            {"labels": {"level": None}},
            {"drop": {"source": "level", "value": "debug"}},
        ]
        self.config = base_config(self.dir, self.receiver.url, [file_job(self.path, stages=stages)])
        self.config["clients"][0]["basic_auth"] = {"username": "u", "password": "very-secret"}
        self.agent = self.start(self.config).wait_ready()
        wait_until("the lines came", lambda: len(self.receiver.taken()) >= 500)

    def test_names_and_numbers(self):
        def settled():
            return self.agent.metrics().sum("promtail_sent_entries_total") >= 500

        wait_until("the answer is counted", settled)
        metrics = self.agent.metrics()
        self.assertEqual([name for name in NAMES if name not in metrics.names()], [])
        host = f"127.0.0.1:{self.receiver.port}"
        size = self.path.stat().st_size
        path = str(self.path)
        self.assertEqual(metrics.sum("promtail_sent_entries_total", host=host), 500)
        self.assertEqual(
            metrics.sum("promtail_sent_bytes_total", host=host), sum(p.wire_bytes for p in self.receiver.pushes)
        )
        self.assertEqual(metrics.sum("promtail_read_lines_total", path=path), 1000)
        self.assertEqual(metrics.sum("promtail_read_bytes_total", path=path), size)
        self.assertEqual(metrics.sum("promtail_file_bytes_total", path=path), size)
        self.assertEqual(metrics.sum("promtail_request_duration_seconds_count", status_code="204"), self.receiver.request_count())
        self.assertEqual(metrics.sum("logentry_dropped_lines_total", reason="drop_stage"), 500)
        read = metrics.sum("agent_ledger_read_bytes_total")
        self.assertEqual(read, size)
        self.assertEqual(
            read,
            metrics.sum("agent_ledger_settled_bytes_total")
            + metrics.sum("agent_ledger_dropped_bytes_total")
            + metrics.sum("agent_ledger_in_flight_bytes"),
        )

    def test_ready_is_503_with_the_reason_until_there_is_something_to_read(self):
        config = base_config(self.dir, self.receiver.url, [file_job(self.dir / "nothing/*.log")])
        config["positions"]["filename"] = str(self.dir / "other-positions.yaml")
        agent = self.start(config, name="empty")
        status, text = wait_until("an answer", lambda: (lambda got: got if got[0] else None)(agent.get("/ready")))
        if status != 200:
            self.assertEqual(status, 503)
            self.assertGreater(len(text), 10)

    def test_pages(self):
        status, text = self.agent.get("/targets")
        self.assertEqual(status, 200)
        self.assertIn(str(self.path), text)
        status, text = self.agent.get("/config")
        self.assertEqual(status, 200)
        self.assertIn("scrape_configs", text)
        self.assertNotIn("very-secret", text)
        self.assertEqual(self.agent.get("/nowhere")[0], 404)


if __name__ == "__main__":
    harness.main()
