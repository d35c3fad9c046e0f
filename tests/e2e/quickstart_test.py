#!/usr/bin/env python3
"""The first command of the README, with the agent that is built: it shows redacted entries, ends by itself
with a summary, and may run as often as one likes."""

import os
import re
import signal
import socket
import subprocess

import harness
from harness import wait_until


class QuickstartTest(harness.TestCase):
    def quickstart(self, *args, **env):
        out = open(self.dir / "out", "w+b")
        self.addCleanup(out.close)
        process = subprocess.Popen(
            [str(harness.ROOT / "examples/quickstart.sh"), *args],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "QUICKSTART_AGENT": harness.AGENT, "TMPDIR": str(self.dir), **env},
            start_new_session=True,
        )
        self.addCleanup(process.kill)
        return process

    def text(self):
        return (self.dir / "out").read_text()

    def check_summary(self):
        text = self.text()
        read = re.search(r"read +(\d+) lines +(\d+) bytes", text)
        self.assertTrue(read and int(read.group(1)) > 0 and int(read.group(2)) > 0, text[-1500:])
        # Nothing stays behind.
        self.assertEqual(list(self.dir.glob("log-agent-quickstart.*")), [])

    def test_ends_by_itself_with_a_summary(self):
        # The usual port is taken: it looks for another.
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            process = self.quickstart("--for", "8s", QUICKSTART_PORT=str(port))
            self.assertEqual(process.wait(60), 0, self.text())

        self.check_summary()
        text = self.text()
        self.assertNotIn(f":{port}/metrics", text)
        self.assertIn("level=info", text)
        self.assertIn("***EMAIL***", text)
        self.assertNotIn("@example.com", text)
        self.assertIn('"user_id":"***"', text)
        self.assertIn("job=system", text)
        self.assertNotIn("\x1b", text)
        shown = int(re.search(r"shown +(\d+) entries", text).group(1))
        read = int(re.search(r"read +(\d+) lines", text).group(1))
        dropped = sum(int(n) for n in re.findall(r"dropped +(\d+) lines", text))
        self.assertIn("reason debug_line", text)
        # What was written in the last moment may be read and shown on the way out.
        self.assertGreaterEqual(shown + dropped, read)
        self.assertLess(shown + dropped, read + 100)

    def test_ctrl_c(self):
        process = self.quickstart()
        wait_until("entries are shown", lambda: "***EMAIL***" in self.text(), timeout=60)
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(30), 0, self.text())
        self.check_summary()

    def test_ships_for_real(self):
        sink = self.sink()
        process = self.quickstart("--for", "6s", LOKI_URL=sink.url)
        self.assertEqual(process.wait(60), 0, self.text())
        self.check_summary()
        shipped = int(re.search(r"shipped +(\d+) entries", self.text()).group(1))
        self.assertGreater(shipped, 0)
        self.assertGreaterEqual(len(sink.taken()), shipped)
        self.assertFalse([line for line in sink.lines() if "@example.com" in line])
        self.assertTrue([e for e in sink.taken() if e.meta.get("trace_id")])


if __name__ == "__main__":
    harness.main()
