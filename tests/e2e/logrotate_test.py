#!/usr/bin/env python3
"""The real logrotate in each of its ways, while the agent reads and while it is down: every line arrives
once."""

import gzip
import os
import shutil
import subprocess

import harness
from harness import base_config, file_job, wait_until
from writer import RotatingWriter, Tally


class LogrotateTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        if not shutil.which("logrotate"):
            raise harness.unittest.SkipTest("logrotate is not installed")
        self.logs = self.dir / "logs"
        self.logs.mkdir(mode=0o755)
        self.path = self.logs / "app.log"
        self.receiver = self.sink()
        self.writer = RotatingWriter(self.path)

    def logrotate(self, *directives):
        config = self.dir / "logrotate.conf"
        rules = "".join(f"  {directive}\n" for directive in ("rotate 50", "missingok", *directives))
        config.write_text(f"{self.path} {{\n{rules}}}\n")
        # It refuses files that others may write to.
        config.chmod(0o644)
        subprocess.run(
            ["logrotate", "--force", "--state", str(self.dir / "logrotate.state"), str(config)],
            check=True,
            capture_output=True,
        )

    def begin(self, pattern="app.log"):
        self.agent = self.start(base_config(self.dir, self.receiver.url, [file_job(self.logs / pattern)]))
        # What is rotated before the agent has looked once, it cannot know to have been there.
        self.writer.write(1)
        self.wait_complete(self.agent, self.receiver, self.writer)

    def check_once(self):
        self.wait_complete(self.agent, self.receiver, self.writer)
        # What would be read twice would come within a scan and a batch: let both pass.
        self.agent.runs_for(2.5)
        self.assertEqual(Tally(self.receiver.taken()).repeats(), 0)
        self.assertEqual(self.agent.stop()[0], 0)

    def test_create(self):
        self.begin()
        for _ in range(5):
            self.writer.write(500)
            self.logrotate("create 0644")
            self.writer.write(500)  # Still into the old file.
            self.writer.reopen()
        self.writer.write(500)
        self.check_once()

    def test_rotated_name_inside_the_glob(self):
        self.begin("app.log*")
        for _ in range(5):
            self.writer.write(500)
            self.logrotate("create 0644")
            self.writer.write(500)
            self.writer.reopen()
        self.writer.write(500)
        self.check_once()

    def test_dated_names_inside_the_glob(self):
        self.begin("*")
        for number in range(3):
            self.writer.write(500)
            self.logrotate("create 0644", "dateext", f"dateformat -%Y%m%d-{number}")
            self.writer.reopen()
        self.writer.write(500)
        self.check_once()

    def test_several_rotations_while_the_agent_is_down(self):
        self.begin()
        self.writer.write(500)
        self.wait_complete(self.agent, self.receiver, self.writer)
        self.assertEqual(self.agent.stop()[0], 0)

        # The file that was being read, and another that it never saw, are both behind rotated names.
        self.writer.write(300)
        self.logrotate("create 0644")
        self.writer.reopen()
        self.writer.write(300)
        self.logrotate("create 0644")
        self.writer.reopen()
        self.writer.write(300)
        self.begin()
        self.check_once()

    def test_compressed_while_the_agent_is_down(self):
        self.begin()
        self.writer.write(500)
        self.wait_complete(self.agent, self.receiver, self.writer)
        self.assertEqual(self.agent.stop()[0], 0)

        self.writer.write(300)
        self.logrotate("create 0644", "compress")
        self.writer.reopen()
        self.assertTrue(gzip.open(f"{self.path}.1.gz").read().count(b"\n") == 801)
        self.writer.write(300)
        self.begin()
        self.check_once()

    def test_copytruncate(self):
        self.begin()
        for _ in range(5):
            self.writer.write(1000)
            # Before it cuts, everything must have been read: what nobody can do is read what is cut off.
            self.wait_complete(self.agent, self.receiver, self.writer)
            self.logrotate("copytruncate")
        self.writer.write(1000)
        self.check_once()

    def test_copytruncate_with_the_copy_inside_the_glob(self):
        self.begin("app.log*")
        for _ in range(3):
            self.writer.write(1000)
            self.wait_complete(self.agent, self.receiver, self.writer)
            self.logrotate("copytruncate")
        self.writer.write(1000)
        self.check_once()

    def test_copytruncate_while_the_agent_is_down(self):
        self.begin()
        self.writer.write(1000)
        self.wait_complete(self.agent, self.receiver, self.writer)
        self.assertEqual(self.agent.stop()[0], 0)
        self.logrotate("copytruncate")
        self.assertEqual(os.path.getsize(self.path), 0)
        self.writer.write(2000)  # Grown past the old offset.
        self.begin()
        self.check_once()

    def test_deleted_while_open(self):
        self.begin()
        self.receiver.stall()
        self.writer.write(2000)
        wait_until("all is read", lambda: self.agent.metrics().sum("promtail_read_lines_total") > 2000)
        os.remove(self.path)
        self.writer.reopen()
        self.writer.write(100)
        self.receiver.flow()
        self.check_once()


if __name__ == "__main__":
    harness.main()
