#!/usr/bin/env python3
"""promtool reads /metrics and has nothing to say beyond the names that are inherited."""

import subprocess

import harness
from harness import base_config, build_server, file_job, wait_until, write_lines

# Gauges that Promtail named like counters. They are kept, because dashboards use them.
INHERITED = {
    "promtail_read_bytes_total",
    "promtail_file_bytes_total",
    "promtail_files_active_total",
    "promtail_targets_active_total",
}


class PromtoolTest(harness.TestCase):
    def test_check_metrics(self):
        promtool = build_server("promtool")
        sink = self.sink()
        write_lines(self.dir / "app.log", [f"level=info n={n}" for n in range(100)])
        stages = [{"regex": {"expression": "level=(?P<level>\\w+)"}}, {"labels": {"level": None}}]
        agent = self.start(base_config(self.dir, sink.url, [file_job(self.dir / "app.log", stages=stages)]))
        wait_until("the answer is counted", lambda: agent.get("/ready")[0] == 200 and agent.metrics().sum("promtail_sent_entries_total") == 100)

        result = subprocess.run(
            [promtool, "check", "metrics"], input=agent.metrics().text, capture_output=True, text=True, check=False
        )

        findings = [line for line in (result.stdout + result.stderr).splitlines() if line.strip()]
        self.assertEqual([line for line in findings if line.split(" ")[0] not in INHERITED], [])


if __name__ == "__main__":
    harness.main()
