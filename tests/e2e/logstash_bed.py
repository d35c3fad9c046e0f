"""What the tests of the lumberjack output share: configurations with short waits, and what they ask."""

import json

import harness
from harness import base_config, wait_until
from lumberjack_sink import LumberjackSink


def output(hosts, name="stash", **more):
    """An output with short waits; `more` are keys of `logstash`."""
    return {
        "name": name,
        "logstash": {
            "hosts": [hosts] if isinstance(hosts, str) else hosts,
            "batch_wait": "20ms",
            "timeout": "10s",
            "backoff": {"init": "20ms", "max": "100ms"},
            **more,
        },
    }


def messages(events):
    return [event["message"] for event in events]


def sample(agent, name, **labels):
    return agent.metrics().sum(f"agent_output_{name}", output="stash", **labels)


class LogstashCase(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.log_file = self.dir / "app.log"
        self.log_file.touch()
        self.sinks = []

    def lumberjack(self, **more):
        sink = LumberjackSink(**{"check_events": True, **more})
        self.addCleanup(sink.close)
        self.sinks.append(sink)
        return sink

    def config(self, outputs, jobs=None, **more):
        config = base_config(self.dir, [], jobs or [harness.file_job(self.log_file)], **more)
        del config["clients"]
        config["outputs"] = outputs if isinstance(outputs, list) else [outputs]
        return config

    def run_with(self, outputs, jobs=None, **more):
        """A ready agent."""
        return self.start(self.config(outputs, jobs, **more)).wait_ready()

    def write(self, *lines):
        with open(self.log_file, "ab") as file:
            for line in lines:
                file.write((line if isinstance(line, bytes) else line.encode()) + b"\n")

    def write_numbers(self, count, first=0):
        self.write(*[str(number) for number in range(first, first + count)])

    def check_strict(self):
        for sink in self.sinks:
            self.assertEqual(sink.violations, [])

    def wait_delivered(self, sink, count, timeout=15):
        """Until so many events are acknowledged."""
        wait_until(lambda: f"{count} events, there are {sink.delivered_count()}", lambda: sink.delivered_count() >= count, timeout)
        return sink.delivered()

    def check_each_once(self, sink, count):
        got = messages(self.wait_delivered(sink, count))
        self.assertEqual(got, [str(number) for number in range(count)])

    def check_none_missing(self, events, count):
        """Some may be there twice."""
        self.assertEqual(sorted(set(map(int, messages(events)))), list(range(count)))

    def settled(self, agent, timeout=15):
        """Until nothing is in flight and everything that was read is settled."""
        size = self.log_file.stat().st_size

        def balanced():
            metrics = agent.metrics()
            done = metrics.sum("agent_ledger_settled_bytes_total") + metrics.sum("agent_ledger_dropped_bytes_total")
            return metrics.sum("agent_ledger_in_flight_bytes") == 0 and done >= size

        def state():
            lines = agent.metrics().text.splitlines()
            return "\n".join(line for line in lines if line.startswith(("agent_ledger", "agent_output")))

        wait_until(state, balanced, timeout)

    def dead_letters(self):
        return [
            json.loads(line)
            for path in sorted((self.dir / "dead-letter").rglob("*"))
            if path.is_file()
            for line in path.read_bytes().splitlines()
        ]
