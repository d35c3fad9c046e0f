#!/usr/bin/env python3
"""Everything that can happen to a file, by hand: cut, replaced, linked, swapped, removed, strange names and
strange contents; while the agent reads and while it is down. Every line arrives once, unchanged."""

import os
import shutil

import harness
from harness import base_config, file_job, wait_until, write_lines


class FilesTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.logs = self.dir / "logs"
        self.logs.mkdir()
        self.path = self.logs / "app.log"
        self.receiver = self.sink()
        self.jobs = [file_job(self.logs / "*.log")]
        self.want = []

    def begin(self):
        self.agent = self.start(base_config(self.dir, self.receiver.url, self.jobs))
        return self.agent

    def end(self):
        self.assertEqual(self.agent.stop()[0], 0)

    def add(self, *lines, path=None, mode="ab"):
        """Writes, and expects to receive."""
        write_lines(path or self.path, lines, mode)
        self.want += lines

    def settle(self, timeout=30):
        """Until all that is wanted has come and its position has moved."""

        def came():
            self.agent.check_running()
            return self.receiver.taken_count() >= len(self.want)

        wait_until(lambda: f"wanted {self.shorten(self.want)[-5:]}, came {self.shorten(self.receiver.lines())[-5:]}", came, timeout)
        wait_until("all is settled", lambda: self.agent.metrics().sum("agent_ledger_in_flight_bytes") == 0)

    @staticmethod
    def shorten(lines):
        """Sorted, and long ones as what can be read in a message."""
        return sorted(line if len(line) < 1000 else f"{line[:10]}... {len(line)} {hash(line)}" for line in lines)

    def check(self):
        self.settle()
        # What would come twice would come within a scan and a batch.
        self.agent.runs_for(1.5)
        self.assertEqual(self.shorten(self.receiver.lines()), self.shorten(self.want))
        self.end()

    # --- cut

    def test_truncated_to_nothing_and_written_again(self):
        self.begin()
        self.add(*[f"first {n}" for n in range(100)])
        self.settle()
        os.truncate(self.path, 0)
        self.add(*[f"second {n}" for n in range(10)])
        self.check()

    def test_truncated_and_regrown_past_the_old_offset_at_once(self):
        self.begin()
        self.add(*[f"first {n}" for n in range(100)])
        self.settle()
        os.truncate(self.path, 0)
        self.add(*[f"second {n}" for n in range(500)])
        self.check()

    def test_new_content_of_equal_size(self):
        self.begin()
        self.add(*[f"first  {n:03d}" for n in range(100)])
        self.settle()
        self.add(*[f"second {n:03d}" for n in range(100)], mode="wb")
        self.check()

    def test_replaced_by_shorter_content_while_down(self):
        self.begin()
        self.add(*[f"first {n}" for n in range(100)])
        self.settle()
        self.end()
        self.add(*[f"second {n}" for n in range(10)], mode="wb")
        self.begin()
        self.check()

    def test_replaced_by_longer_content_while_down(self):
        self.begin()
        self.add(*[f"first {n}" for n in range(100)])
        self.settle()
        self.end()
        self.add(*[f"second {n}" for n in range(500)], mode="wb")
        self.begin()
        self.check()

    def test_grown_while_down(self):
        self.begin()
        self.add("one", "two")
        self.settle()
        self.end()
        self.add("three", "four")
        self.begin()
        self.check()

    # --- removed and replaced

    def test_removed_and_created_again(self):
        self.begin()
        for generation in range(4):
            self.add(*[f"{generation}: {n}" for n in range(50)])
            self.settle()
            os.remove(self.path)
        self.add("the last")
        self.check()

    def test_replaced_by_rename(self):
        self.begin()
        self.add("old 1", "old 2")
        self.settle()
        new = self.logs / "new.tmp"
        write_lines(new, ["new 1", "new 2"])
        self.want += ["new 1", "new 2"]
        os.rename(new, self.path)
        self.check()

    def test_directory_removed_and_made_again(self):
        self.begin()
        self.add("before")
        self.settle()
        shutil.rmtree(self.logs)
        self.agent.runs_for(1.5)
        self.logs.mkdir()
        self.add("after")
        self.check()

    def test_many_short_lives(self):
        self.begin()
        for n in range(50):  # The number in use goes back to the file system, and to the next file.
            path = self.logs / f"{n}.log"
            self.add(f"only line of {n}", path=path)
            self.settle()
            os.remove(path)
        self.check()

    # --- links

    def test_link_is_swapped(self):
        self.jobs = [file_job(self.logs / "current.log")]
        first, second = self.logs / "a.txt", self.logs / "b.txt"
        link = self.logs / "current.log"
        self.add("a 1", path=first)
        os.symlink(first, link)
        self.begin()
        self.settle()
        self.add("b 1", path=second)
        os.symlink(second, self.logs / "next")
        os.rename(self.logs / "next", link)
        self.settle()
        self.add("b 2", path=second)
        self.check()

    def test_hard_links_and_overlapping_globs_of_one_job_are_read_once(self):
        self.add("one", "two")
        os.link(self.path, self.logs / "same.log")
        job = file_job(self.logs / "*.log")
        job["static_configs"].append(
            {"targets": ["localhost"], "labels": {"job": "test", "__path__": str(self.logs / "a*.log")}}
        )
        self.jobs = [job]
        self.begin()
        self.settle()
        self.add("three")
        self.check()

    def test_two_jobs_get_a_file_each(self):
        self.jobs = [file_job(self.path, "one"), file_job(self.path, "two")]
        write_lines(self.path, ["x", "y"])
        self.want = ["x", "x", "y", "y"]
        self.begin()
        self.check()

    def test_equal_beginnings_are_two_files(self):
        head = ["the same header"] * 100
        self.add(*head, path=self.logs / "a.log")
        self.add(*head, path=self.logs / "b.log")
        self.begin()
        self.settle()
        self.add("a's own", path=self.logs / "a.log")
        self.add("b's own", path=self.logs / "b.log")
        self.check()

    # --- globs

    def test_recursive_glob_and_exclusion(self):
        self.jobs = [file_job(self.logs / "**/*.log", labels={"__path_exclude__": str(self.logs / "**/skip*.log")})]
        deep = self.logs / "a/b/c"
        deep.mkdir(parents=True)
        self.add("top", path=self.logs / "x.log")
        self.add("deep", path=deep / "y.log")
        write_lines(deep / "skip-me.log", ["not this"])
        self.begin()
        self.settle()
        later = self.logs / "later/still"
        later.mkdir(parents=True)
        self.add("in a new folder", path=later / "z.log")
        self.check()

    def test_what_is_no_file_is_left_alone(self):
        os.mkfifo(self.logs / "fifo.log")
        (self.logs / "folder.log").mkdir()
        os.symlink("/dev/null", self.logs / "device.log")
        os.symlink(self.logs / "nowhere", self.logs / "dangling.log")
        self.add("a real one")
        self.begin()
        self.check()

    # --- contents

    def test_bytes_are_not_changed(self):
        self.add("nul \0 inside", "bad \udcff\udcfe utf-8", "carriage return\r", "", "\ttabs and  spaces ", "\u6771\u4eac")
        self.begin()
        self.check()

    def test_a_long_line(self):
        self.add("before", "x" * 10_000_000, "after")
        self.begin()
        self.check()

    def test_a_line_without_newline_waits_for_it(self):
        self.begin()
        self.add("whole")
        with open(self.path, "ab") as file:
            file.write(b"half ")
        self.settle()
        self.agent.runs_for(1)
        self.assertEqual(self.receiver.lines(), ["whole"])
        with open(self.path, "ab") as file:
            file.write(b"and half\n")
        self.want.append("half and half")
        self.check()

    def test_half_a_line_over_a_restart(self):
        with open(self.path, "wb") as file:
            file.write(b"whole\nhalf ")
        self.want.append("whole")
        self.begin()
        self.settle()
        self.end()
        with open(self.path, "ab") as file:
            file.write(b"and half\n")
        self.want.append("half and half")
        self.begin()
        self.check()

    def test_the_last_line_of_a_rotated_file_without_newline(self):
        self.jobs = [file_job(self.path)]
        self.begin()
        self.add("whole")
        with open(self.path, "ab") as file:
            file.write(b"the end")
        self.settle()
        os.rename(self.path, self.logs / "app.log.1")
        self.want.append("the end")
        self.add("new file")
        # Whoever has the old file open may still end that line: it takes a minute of silence.
        self.settle(timeout=90)
        self.check()


if __name__ == "__main__":
    harness.main()
