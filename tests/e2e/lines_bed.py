"""What the tests of lines to Logstash share: configurations with short waits, and what they ask."""

from harness import wait_until
from line_sink import LineSink
from logstash_bed import LogstashCase


def lines_output(hosts, name="stash", **more):
    """An output with short waits; `more` are keys of `logstash`."""
    return {
        "name": name,
        "logstash": {
            "hosts": [hosts] if isinstance(hosts, str) else hosts,
            "protocol": "json_lines",
            "batch_wait": "20ms",
            "commit_delay": "200ms",
            "backoff": {"min_period": "50ms", "max_period": "200ms"},
            **more,
        },
    }


class LinesCase(LogstashCase):
    def lines(self, **more):
        sink = LineSink(**more)
        self.addCleanup(sink.close)
        self.sinks.append(sink)
        return sink

    def write_lines(self, first, count, padding=0):
        """Gives them."""
        lines = [f"{number} " + "x" * padding for number in range(first, first + count)]
        self.write(*lines)
        return lines

    def wait_messages(self, receiver, lines, timeout=20):
        """Until all of them are there, in any order and as often as they came."""
        wanted = set(lines)

        def missing():
            for agent in self.agents:
                if agent.process.poll() not in (None, 0, -9):
                    agent.check_running()
            if receiver.count() < len(wanted):  # Cheaper.
                return {f"there are {receiver.count()}"}
            return wanted - set(receiver.messages())

        wait_until(lambda: f"missing: {sorted(missing())[:5]} of {len(wanted)}", lambda: not missing(), timeout, pause=0.05)

    def check_once(self, receiver, lines):
        """All of them once, in their order."""
        self.assertEqual(receiver.messages(), list(lines))
