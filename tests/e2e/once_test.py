#!/usr/bin/env python3
"""A backfill: what there is is read to its end, delivered, and the agent ends; its exit code says whether all arrived."""

import gzip
import json
import os
import pty
import select
import signal
import subprocess

import harness
from harness import base_config, file_job, run_agent, wait_until, write_lines
from sink import Answer


class OnceTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.receiver = self.sink()
        self.logs = self.dir / "logs"
        self.logs.mkdir()

    def config(self, **more):
        return base_config(self.dir, self.receiver.url, [file_job(self.logs / "*.log*", **more)])

    def once(self, config=None, *args):
        return run_agent(self.dir, ["-once", *args], config or self.config())

    def test_all_files_are_read_to_their_end_also_a_last_line_without_one(self):
        for file in range(5):
            write_lines(self.logs / f"{file}.log", [f"{file} line {n}" for n in range(2000)])
        with open(self.logs / "4.log", "a") as file:
            file.write("the end")

        result = self.once()

        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertIn(b"delivered 10,001 lines", result.stderr)
        self.assertIn(b"of 5 files", result.stderr)
        want = [f"{file} line {n}" for file in range(5) for n in range(2000)] + ["the end"]
        self.assertEqual(sorted(self.receiver.lines()), sorted(want))

    def test_a_second_time_brings_only_what_is_new(self):
        write_lines(self.logs / "a.log", ["one", "two"])
        self.assertEqual(self.once().returncode, 0)
        write_lines(self.logs / "a.log", ["three"])

        result = self.once()

        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(self.receiver.lines(), ["one", "two", "three"])

    def test_what_stages_hold_back_comes_out_at_the_end(self):
        stage = {"multiline": {"firstline": "^START", "max_wait_time": "1h"}}
        write_lines(self.logs / "a.log", ["START 1", " at a", "START 2", " at b"])

        result = self.once(self.config(stages=[stage]))

        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(self.receiver.lines(), ["START 1\n at a", "START 2\n at b"])

    def test_compressed_files_are_read(self):
        with gzip.open(self.logs / "a.log.gz", "wb") as file:
            file.write(b"packed 1\npacked 2\n")
        config = self.config()
        config["scrape_configs"][0]["decompression"] = {"enabled": True, "format": "gz"}

        result = self.once(config)

        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(self.receiver.lines(), ["packed 1", "packed 2"])

    def test_no_file_is_a_failure_that_says_so(self):
        result = self.once()

        self.assertEqual(result.returncode, 1)
        self.assertIn(b"no file matches", result.stderr)

    def test_what_a_receiver_refuses_is_a_failure(self):
        write_lines(self.logs / "a.log", ["fine", "refused"])
        self.receiver.answer(lambda _, push: Answer(400, {}, b"no") if any(e.line == "refused" for e in push.entries) else Answer())

        result = self.once()

        self.assertEqual(result.returncode, 1, result.stderr.decode())
        self.assertIn(b"NOT COMPLETE", result.stderr)
        self.assertIn(b"refused for good", result.stderr)

    def test_interrupted_it_fails_and_goes_on_where_it_was(self):
        write_lines(self.logs / "a.log", [f"line {n}" for n in range(1000)])
        self.receiver.stall()
        agent = self.start(self.config(), args=["-once", "-shutdown.timeout=100ms"])
        wait_until("a request", lambda: self.receiver.request_count() > 0)
        agent.process.send_signal(signal.SIGTERM)
        self.assertEqual(agent.process.wait(10), 1)
        self.assertIn("run it again", agent.log())
        self.receiver.flow()

        result = self.once()

        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(sorted(set(self.receiver.lines())), sorted(f"line {n}" for n in range(1000)))

    def test_on_a_terminal_a_bar_is_drawn(self):
        write_lines(self.logs / "a.log", [f"line {n}" for n in range(1000)])
        self.receiver.stall()
        (self.dir / "c.json").write_text(json.dumps(self.config()))
        terminal, inside = pty.openpty()
        process = subprocess.Popen([harness.AGENT, f"-config.file={self.dir}/c.json", "-once"], stderr=inside, stdout=inside)
        os.close(inside)
        shown = b""

        def read():
            nonlocal shown
            if select.select([terminal], [], [], 0)[0]:
                try:
                    shown += os.read(terminal, 65536)
                except OSError:  # Its other end is closed.
                    pass
            return shown

        wait_until(lambda: shown, lambda: b"[------------------------] 0%" in read())
        self.receiver.flow()
        self.assertEqual(process.wait(10), 0)
        wait_until(lambda: shown, lambda: b"delivered 1,000 lines" in read())
        os.close(terminal)
        self.assertNotIn(b"level=info", shown)

    def test_receivers_beside_files_are_left_alone(self):
        write_lines(self.logs / "a.log", ["one"])
        config = self.config()
        config["scrape_configs"].append({"job_name": "listener", "syslog": {"listen_address": "127.0.0.1:0"}})

        result = self.once(config)

        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertIn(b"job=listener", result.stderr)
        self.assertEqual(self.receiver.lines(), ["one"])

    def test_a_dry_run_prints_all_and_ends(self):
        write_lines(self.logs / "a.log", ["one", "two"])

        result = self.once(None, "-dry-run")

        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(len(result.stdout.splitlines()), 2)
        self.assertEqual(self.receiver.lines(), [])


if __name__ == "__main__":
    harness.main()
