#!/usr/bin/env python3
"""The disk with the positions is full, read-only, or what is on it is garbage: the agent starts, runs,
ships, says what happened, and takes up its positions again as soon as it can."""

import os
import subprocess

import harness
from harness import base_config, file_job, wait_until
from writer import RotatingWriter, Tally


class DiskTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.writer = RotatingWriter(self.dir / "app.log")
        self.receiver = self.sink()
        self.state = self.dir / "state"
        self.state.mkdir()
        self.config = base_config(self.dir, self.receiver.url, [file_job(self.dir / "app.log")])
        self.config["positions"]["filename"] = str(self.state / "positions.yaml")

    def saved(self):
        """The offset in positions.yaml says that everything is settled."""
        try:
            return f'"{os.path.getsize(self.writer.path)}"' in (self.state / "positions.yaml").read_text()
        except OSError:
            return False

    def test_full_disk(self):
        mount = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(self.state)], capture_output=True, text=True
        )
        if mount.returncode != 0:
            raise harness.unittest.SkipTest(f"needs root to mount a small tmpfs: {mount.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.state)], check=False)
        self.writer.write(100)
        agent = self.start(self.config)
        self.wait_complete(agent, self.receiver, self.writer)
        wait_until("positions are saved", self.saved)

        filler = open(self.state / "filler", "wb", buffering=0)
        try:
            while True:
                filler.write(b"x" * 1024)
        except OSError:
            pass
        for _ in range(50):  # Each a batch of its own, so that the journal wants to grow.
            self.writer.write(20)
            self.wait_complete(agent, self.receiver, self.writer)
        wait_until("it is counted", lambda: agent.metrics().sum("agent_positions_write_failures_total") > 0)
        os.remove(self.state / "filler")
        filler.close()

        self.writer.write(100)
        self.wait_complete(agent, self.receiver, self.writer)
        wait_until("positions are saved again", self.saved)
        agent.kill()
        sent = len(self.receiver.taken())
        agent = self.start(self.config)
        self.writer.write(100)
        self.wait_complete(agent, self.receiver, self.writer)
        self.assertEqual(len(self.receiver.taken()), sent + 100)

    def test_garbage_in_every_state_file(self):
        self.writer.write(1000)
        agent = self.start(self.config)
        self.wait_complete(agent, self.receiver, self.writer)
        self.assertEqual(agent.stop()[0], 0)
        for path in self.state.iterdir():
            if path.is_file():
                path.write_bytes(b"\0\xff garbage " * 50)

        agent = self.start(self.config)
        self.writer.write(1000)

        self.wait_complete(agent, self.receiver, self.writer)
        self.assertEqual(agent.stop()[0], 0)

    def test_state_files_cut_short(self):
        self.writer.write(1000)
        agent = self.start(self.config)
        self.wait_complete(agent, self.receiver, self.writer)
        self.assertEqual(agent.stop()[0], 0)
        for path in self.state.iterdir():
            if path.is_file():
                os.truncate(path, path.stat().st_size // 2)

        agent = self.start(self.config)
        self.writer.write(1000)

        self.wait_complete(agent, self.receiver, self.writer)

    def test_promtails_positions_are_taken_over(self):
        self.writer.write(1000)
        offset = os.path.getsize(self.writer.path)
        (self.state / "positions.yaml").write_text(f'positions:\n  {self.writer.path}: "{offset}"\n')
        self.writer.write(500)
        agent = self.start(self.config)

        wait_until("the rest came", lambda: len(self.receiver.taken()) >= 500)

        self.assertEqual(min(Tally(self.receiver.taken()).count), 1000)
        wait_until("positions are saved", self.saved)
        self.assertEqual(agent.stop()[0], 0)
        self.assertTrue((self.state / "positions.yaml").read_text().startswith("positions:\n"))

    def test_a_second_agent_on_the_same_positions_refuses(self):
        first = self.start(self.config).wait_ready()
        second = self.start({**self.config, "server": {"disable": True}}, name="second")
        self.assertNotEqual(second.process.wait(20), 0)
        self.assertIn("positions", second.log())
        first.check_running()


if __name__ == "__main__":
    harness.main()
