#!/usr/bin/env python3
"""Jobs with `decompression`: files of the real compressors, what is appended to them, kill -9 in between, and one
that is damaged."""

import bz2
import gzip
import json
import zlib

import harness
from harness import base_config, file_job, wait_until

COMPRESS = {"gz": gzip.compress, "z": zlib.compress, "bz2": bz2.compress}


def text(name, begin, end):
    return "".join(f"{name} {n}\n" for n in range(begin, end)).encode()


class CompressedTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.receiver = self.sink()
        self.jobs = []
        for name in COMPRESS:
            job = file_job(self.dir / f"*.{name}", name=name)
            job["decompression"] = {"enabled": True, "format": name}
            self.jobs.append(job)

    def add(self, name, begin, end):
        with open(self.dir / f"a.{name}", "ab") as file:
            file.write(COMPRESS[name](text(name, begin, end)))

    def begin(self):
        return self.start(base_config(self.dir, self.receiver.url, self.jobs))

    def wait_lines(self, agent, count):
        want = sorted(f"{name} {n}" for name in COMPRESS for n in range(count))

        def came():
            agent.check_running()
            return sorted(set(self.receiver.lines())) == want

        wait_until(lambda: f"{len(want)} lines, came {self.receiver.taken_count()}", came)
        wait_until("all is settled", lambda: agent.metrics().sum("agent_ledger_in_flight_bytes") == 0)

    def test_every_format_grows_and_goes_on_after_a_kill(self):
        for name in COMPRESS:
            self.add(name, 0, 5000)
        agent = self.begin()
        self.wait_lines(agent, 5000)
        for name in COMPRESS:
            self.add(name, 5000, 5100)
        self.wait_lines(agent, 5100)
        wait_until("the positions are on the disk", lambda: (self.dir / "positions.yaml").exists())
        agent.kill()
        for name in COMPRESS:
            self.add(name, 5100, 5200)
        agent = self.begin()
        self.wait_lines(agent, 5200)
        # Nothing was in flight at the kill: nothing came twice.
        self.assertEqual(self.receiver.taken_count(), 3 * 5200)
        self.assertNotIn("a.gz", (self.dir / "positions.yaml").read_text())
        self.assertEqual(agent.stop()[0], 0)

    def test_a_damaged_file_is_told_and_holds_up_nothing(self):
        whole = gzip.compress(text("gz", 0, 5000))
        (self.dir / "a.gz").write_bytes(whole[: len(whole) // 2] + b"\0" * 100 + whole[len(whole) // 2 + 100 :])
        self.add("z", 0, 10)
        agent = self.begin()
        wait_until("the others come", lambda: sum(line.startswith("z ") for line in self.receiver.lines()) == 10)

        def files():
            return json.loads(agent.get("/targets?format=json&job=gz")[1])["jobs"][0]["targets"][0]["files"]

        wait_until("it is told", lambda: files() and files()[0]["last_error"])
        self.assertIn("compressed file cannot be read to its end", agent.log())
        self.assertEqual(self.receiver.lines().count("gz 100"), 1)
        self.assertEqual(agent.stop()[0], 0)


if __name__ == "__main__":
    harness.main()
