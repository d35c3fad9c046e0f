#!/usr/bin/env python3
"""What a redact stage hides never leaves the node, and is counted."""

import harness
from harness import base_config, file_job, wait_until, write_lines


class RedactTest(harness.TestCase):
    def test_values_are_hidden_and_counted(self):
        path = self.dir / "app.log"
        receiver = self.sink()
        key = self.dir / "key"
        key.write_text("0123456789abcdef\n")
        key.chmod(0o600)
        stages = [
            {"match": {"selector": '{job="test"}', "stages": [{"redact": {}}]}},
            {"redact": {"detectors": ["ipv4"], "mode": "hash", "key_file": str(key)}},
        ]
        write_lines(path, ["user ann@example.com from 203.0.113.9", "card 4111 1111 1111 1111 from 203.0.113.9"])
        agent = self.start(base_config(self.dir, receiver.url, [file_job(path, stages=stages)])).wait_ready()

        wait_until("the lines came", lambda: receiver.taken_count() >= 2)

        first, second = receiver.lines()
        self.assertRegex(first, r"^user <redacted:email> from <ipv4:[0-9a-f]{16}>$")
        self.assertEqual(second, "card <redacted:payment_card> from " + first.split(" from ")[1])
        metrics = agent.metrics()
        self.assertEqual(metrics.sum("agent_redactions_total", job="test", index="0.0", detector="email"), 1)
        self.assertEqual(metrics.sum("agent_redactions_total", job="test", index="0.0", detector="payment_card"), 1)
        self.assertEqual(metrics.sum("agent_redactions_total", job="test", index="1", detector="ipv4"), 2)

    def test_the_key_is_not_shown(self):
        path = self.dir / "app.log"
        write_lines(path, ["line"])
        stages = [{"redact": {"mode": "hash", "key": "a-very-secret-key-of-mine"}}]
        agent = self.start(base_config(self.dir, self.sink().url, [file_job(path, stages=stages)])).wait_ready()

        status, text = agent.get("/config")

        self.assertEqual(status, 200)
        self.assertIn("redact", text)
        self.assertNotIn("a-very-secret", text)


if __name__ == "__main__":
    harness.main()
