"""An agent to which everything happens that its metrics tell of: refusals, an outage, redaction, drops, no API server."""

import json

from bulk_sink import BulkSink
from elasticsearch_bed import output
from harness import base_config, file_job, wait_until, write_lines
from sink import Answer


class TroubledAgent:
    def __init__(self, test):
        """`test`: the TestCase that it belongs to."""
        self.logs = test.dir / "logs"
        self.logs.mkdir()
        sink, search = test.sink(), BulkSink()
        test.addCleanup(search.close)
        sink.answer(lambda _, push: Answer(400) if any("refuse me" in entry.line for entry in push.entries) else Answer())
        stages = [
            {"json": {"expressions": {"level": None, "n": None}}},
            {"labels": {"level": None, "n": None}},
            {"redact": {"detectors": ["email"]}},
            {"drop": {"source": "n", "value": "5"}},
        ]
        kubernetes = {"api_server": "http://127.0.0.1:1", "role": "pod"}
        config = base_config(
            test.dir,
            [sink.url, "http://127.0.0.1:1/loki/api/v1/push"],  # One that answers and refuses, one that is dead.
            [file_job(self.logs / "*.log", stages=stages), {"job_name": "pods", "kubernetes_sd_configs": [kubernetes]}],
            outputs=[output(search.url)],
            limits_config={"max_label_values": 10},
        )
        self.agent = test.start(config)
        wait_until("it runs", lambda: self.agent.get("/ready")[0])
        self.turns = 0

    def work(self):
        """One more turn of everything; each in a file that is made while the agent looks on."""
        self.turns += 1
        lines = [json.dumps({"level": "info", "n": n, "mail": "a@example.org"}) for n in range(50)]
        write_lines(self.logs / f"app{self.turns}.log", [*lines, "no json", '{"n": 1, "text": "refuse me"}'])
