#!/usr/bin/env python3
"""Many files to which nobody writes cost next to nothing, and do not hold a descriptor each.

AGENT_IDLE_FILES: how many (default 2000; in the long form 10000)."""

import os

import harness
from harness import base_config, file_job, wait_until, write_lines

FILES = int(os.environ.get("AGENT_IDLE_FILES", "10000" if harness.FULL else "2000"))
DESCRIPTORS = 1024  # As hard a limit as a service manager may set.
WINDOW_SECONDS = 20 if harness.FULL else 10


class IdleTest(harness.TestCase):
    @harness.unittest.skipIf(harness.SANITIZED, "a sanitizer's speed says nothing about the agent's")
    def test_idle_files(self):
        logs = self.dir / "logs"
        logs.mkdir()
        for number in range(FILES):
            write_lines(logs / f"{number:05d}.log", [f"file {number}"])
        sink = self.sink()
        config = base_config(self.dir, sink.url, [file_job(logs / "*.log")])
        config["target_config"]["sync_period"] = "10s"
        agent = self.start(config, prefix=["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"])
        wait_until(lambda: f"{len(sink.taken())} of {FILES} came", lambda: len(sink.taken()) >= FILES, timeout=90, pause=0.2)
        wait_until("all files are followed", lambda: agent.metrics().sum("promtail_files_active_total") == FILES)
        wait_until("positions are settled", lambda: agent.metrics().sum("agent_ledger_in_flight_bytes") == 0)

        before = agent.cpu_seconds()
        agent.runs_for(WINDOW_SECONDS)
        share = (agent.cpu_seconds() - before) / WINDOW_SECONDS

        print(
            f"{FILES} idle files: {share:.2%} of a core, {agent.descriptors()} descriptors, RSS {agent.rss_kib()} KiB"
        )
        self.assertLess(share, 0.01)
        self.assertLess(agent.descriptors(), DESCRIPTORS)

        # Asleep is not deaf.
        write_lines(logs / f"{FILES // 2:05d}.log", ["woken up"])
        wait_until("the line comes", lambda: sink.lines()[-1] == "woken up")
        self.assertEqual(agent.stop()[0], 0)


if __name__ == "__main__":
    harness.main()
