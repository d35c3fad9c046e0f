#!/usr/bin/env python3
"""Files that are not UTF-8: every line arrives as what it says, and offsets are those of the file's bytes."""

import gzip
import json

import harness
from harness import base_config, file_job, wait_until

LINES = ["plain", "café – 5 €", "Ċ and ਀ have a byte 0x0A", "", "😀 two units", "x" * 70000, "the end"]


class EncodingTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.receiver = self.sink()
        self.want = []

    def begin(self, jobs):
        return self.start(base_config(self.dir, self.receiver.url, jobs))

    def job(self, name, encoding, **more):
        return {**file_job(self.dir / f"{name}.log", name=name), "encoding": encoding, **more}

    def write(self, name, lines, encoding, mode="ab"):
        with open(self.dir / f"{name}.log", mode) as file:
            file.write("".join(line + "\n" for line in lines).encode(encoding))
        self.want += [(name, line) for line in lines]

    def came(self):
        return [(entry.labels["job"], entry.line) for entry in self.receiver.taken()]

    def settle(self, agent):
        wait_until(lambda: f"wanted {len(self.want)}, came {len(self.came())}", lambda: len(self.came()) >= len(self.want))
        wait_until("all is settled", lambda: agent.metrics().sum("agent_ledger_in_flight_bytes") == 0)
        self.assertEqual(sorted(self.came()), sorted(self.want))

    def test_lines_come_as_what_they_say_and_go_on_after_a_kill(self):
        encodings = {"little": "utf-16-le", "big": "utf-16-be", "latin": "iso-8859-15", "japanese": "shift_jis"}
        jobs = [
            self.job("little", "UTF-16LE"),
            self.job("big", "UTF-16BE"),
            self.job("latin", "ISO-8859-15"),
            self.job("japanese", "Shift_JIS"),
            self.job("marked", "UTF-16"),
        ]
        texts = {"latin": ["café 5 €", "", "é" * 70000], "japanese": ["日本語", "ソ表示"]}
        for name, encoding in encodings.items():
            self.write(name, texts.get(name, LINES), encoding)
        (self.dir / "marked.log").write_bytes(b"\xff\xfe")
        self.write("marked", LINES, "utf-16-le")
        agent = self.begin(jobs)
        self.settle(agent)
        agent.kill()
        for name, encoding in encodings.items():
            self.write(name, texts.get(name, LINES), encoding)
        self.write("marked", LINES, "utf-16-le")
        agent = self.begin(jobs)
        self.settle(agent)

        status, page = agent.get("/targets?format=json")
        self.assertEqual(status, 200)
        for job in json.loads(page)["jobs"]:
            file = job["targets"][0]["files"][0]
            self.assertEqual(file["settled_bytes"], (self.dir / f"{job['name']}.log").stat().st_size)
        self.assertEqual(agent.stop()[0], 0)

    def test_a_character_that_is_written_in_two_halves(self):
        agent = self.begin([self.job("halves", "UTF-16")])
        text = "".join(line + "\n" for line in LINES).encode("utf-16-le")
        with open(self.dir / "halves.log", "ab", buffering=0) as file:
            for at in range(0, 121):
                file.write(text[at : at + 1])
                if at % 40 == 1:
                    wait_until("it is seen", lambda: agent.get("/ready")[0] == 200)
            file.write(text[121:])
        self.want = [("halves", line) for line in LINES]
        self.settle(agent)
        self.assertEqual(agent.stop()[0], 0)

    def test_compressed_text_that_is_not_utf8(self):
        (self.dir / "zipped.log").write_bytes(gzip.compress("".join(line + "\n" for line in LINES).encode("utf-16")))
        self.want = [("zipped", line) for line in LINES]
        agent = self.begin([self.job("zipped", "UTF-16", decompression={"enabled": True, "format": "gz"})])
        self.settle(agent)
        self.assertEqual(agent.stop()[0], 0)

    def test_bytes_that_are_no_characters_do_not_stop_it(self):
        (self.dir / "bad.log").write_bytes(b"a\0\x3d\xd8\n\0" + b"b\0\n\0")
        self.want = [("bad", "a\ufffd"), ("bad", "b")]
        agent = self.begin([self.job("bad", "UTF-16LE")])
        self.settle(agent)
        self.assertEqual(agent.stop()[0], 0)


if __name__ == "__main__":
    harness.main()
