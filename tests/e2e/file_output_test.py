#!/usr/bin/env python3
"""The file and stdout outputs: every line is there and whole, over kills, rotation by them or by others, full disks
and readers that are slow or gone.

AGENT_KILL_CYCLES: how many kills (default 5)."""

import collections
import json
import os
import random
import re
import subprocess
import threading

import harness
from harness import base_config, file_job, wait_until, write_lines
from writer import RotatingWriter, number_of

CYCLES = int(os.environ.get("AGENT_KILL_CYCLES", "100" if harness.FULL else "5"))
READERS = {"": ["cat"], ".gz": ["gzip", "-dc"], ".zst": ["zstd", "-dcq"]}


def decoded(paths):
    """What a user's tools make of the files, in the order of their names; a complaint is a failure."""
    text = b""
    for path in paths:
        ending = next((each for each in (".gz", ".zst") if str(path).endswith(each)), "")
        with open(path, "rb") as file:
            result = subprocess.run(READERS[ending], stdin=file, capture_output=True, check=False)
        if result.returncode != 0:
            raise AssertionError(f"{path}: {result.stderr.decode()}")
        text += result.stdout
    return text


class FileCase(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.log_file = self.dir / "app.log"
        self.log_file.touch()
        self.out = self.dir / "out"

    def output(self, path="app.log", name="archive", **more):
        keys = {"path": str(self.out / path), "batch_wait": "20ms", **more}
        return {"name": name, "file": {"backoff": {"min_period": "50ms", "max_period": "200ms"}, **keys}}

    def config(self, outputs, jobs=None, **more):
        config = base_config(self.dir, [], jobs or [file_job(self.log_file)], **more)
        del config["clients"]
        config["outputs"] = outputs if isinstance(outputs, list) else [outputs]
        return config

    def files(self, pattern="*"):
        return sorted(str(path) for path in self.out.rglob(pattern) if path.is_file())

    def lines(self, pattern="*"):
        while True:
            try:
                return decoded(self.files(pattern)).decode("utf-8", "replace").splitlines()
            except FileNotFoundError:
                pass  # It was rotated meanwhile: there is another one by now.

    def wait_lines(self, count, pattern="*", timeout=20):
        def there():
            for agent in self.agents:
                agent.check_running()
            return len(self.lines(pattern)) >= count

        wait_until(lambda: f"{count} lines, there are {len(self.lines(pattern))}", there, timeout)
        return self.lines(pattern)

    def failures(self, agent, name="archive"):
        return agent.metrics().sum("agent_output_failed_requests_total", output=name)


class FormatTest(FileCase):
    def test_formats_and_compressions(self):
        outputs = [
            self.output("a.ndjson", "a", document={"layout": "flat"}),
            self.output("b.logfmt", "b", format="logfmt", compression="none"),
            self.output("c.log.gz", "c", format="raw"),
            self.output("d.ndjson.zst", "d", mode="0600"),
        ]
        stages = [{"static_labels": {"odd": 'a "b"'}}]
        self.start(self.config(outputs, [file_job(self.log_file, stages=stages)])).wait_ready()
        write_lines(self.log_file, ["one", 'two "x" = 2'])
        for ending in ("ndjson", "logfmt", "gz", "zst"):
            self.wait_lines(2, f"*.{ending}")
        first = json.loads(self.lines("a.ndjson")[1])
        self.assertEqual((first["message"], first["job"], first["odd"]), ('two "x" = 2', "test", 'a "b"'))
        self.assertRegex(
            self.lines("b.logfmt")[1],
            r'^time=20\d\d-\d\d-\d\dT[0-9:.]+Z filename="?\S+"? job=test odd="a \\"b\\"" line="two \\"x\\" = 2"$',
        )
        self.assertEqual(self.lines("c.log.gz"), ["one", 'two "x" = 2'])
        self.assertEqual([json.loads(line)["message"] for line in self.lines("d.ndjson.zst")], ["one", 'two "x" = 2'])
        self.assertEqual(os.stat(self.out / "d.ndjson.zst").st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(self.out / "a.ndjson").st_mode & 0o777, 0o640)

    def test_readable_with_zcat_while_it_is_written(self):
        self.start(self.config([self.output("a.gz", "a", format="raw"), self.output("b.zst", "b", format="raw")])).wait_ready()
        writer = RotatingWriter(self.log_file)
        for pattern in ("*.gz", "*.zst"):
            seen = 0
            while seen < 3:  # Each look finds more, and never a torn end.
                writer.write(2000)
                wait_until("more", lambda: len(self.lines(pattern)) > seen * 1000)
                seen += 1
        wait_until("all", lambda: len(self.lines("*.gz")) == len(self.lines("*.zst")) == writer.next)

    def test_hostile_values_stay_in_the_folder(self):
        stages = [{"json": {"expressions": {"app": None}}}, {"labels": {"app": None}}]
        agent = self.start(
            self.config(self.output("%{[app]}/%{[app]:none}.log", format="raw", max_open_files=2), [file_job(self.log_file, stages=stages)])
        )
        agent.wait_ready()
        values = ["..", ".", "../../evil", "/etc/evil", "a\0b", "a\nb", "", "x" * 5000, "~", "$(id)", "shop", "%{[app]}"]
        write_lines(self.log_file, [json.dumps({"app": value, "n": n}) for n, value in enumerate(values)])
        self.wait_lines(len(values))
        outside = [path for path in self.dir.rglob("*evil*") if self.out not in path.parents]
        self.assertEqual(outside, [])
        folders = {os.path.relpath(path, self.out).split("/")[0] for path in self.files()}
        self.assertLessEqual({"__", "_", "___.._evil", "_etc_evil", "a_b", "shop", "~", "$(id)", "%{[app]}"}, folders)
        self.assertEqual(len({json.loads(line)["n"] for line in self.lines()}), len(values))
        descriptors = [os.readlink(f"/proc/{agent.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{agent.process.pid}/fd")]
        self.assertLessEqual(len([name for name in descriptors if name.startswith(str(self.out))]), 2)

    def test_path_by_the_time_of_the_entry(self):
        stages = [{"json": {"expressions": {"t": None}}}, {"timestamp": {"source": "t", "format": "RFC3339"}}]
        self.start(self.config(self.output("%{+yyyy/MM-dd}.log", format="raw"), [file_job(self.log_file, stages=stages)]))
        write_lines(self.log_file, ['{"t":"2024-05-01T23:59:59Z"}', '{"t":"2024-05-02T00:00:00Z"}', '{"t":"2024-05-01T12:00:00Z"}'])
        self.wait_lines(3)
        self.assertEqual([os.path.relpath(path, self.out) for path in self.files()], ["2024/05-01.log", "2024/05-02.log"])

    def test_a_job_that_reads_the_output_is_refused(self):
        self.out = self.dir
        config = self.config(self.output("%{+yyyy}.log"), [file_job(self.dir / "*.log")])
        result = harness.run_agent(self.dir, ["-check-syntax"], config)
        self.assertNotEqual(result.returncode, 0)
        self.assertRegex((result.stdout + result.stderr).decode(), r"config.yaml:\d+:\d+: outputs\[0\].file.path: job 'test' reads")


class KillTest(FileCase):
    def cycles(self, path, **more):
        rng = random.Random(7)
        writer = RotatingWriter(self.log_file)
        config = self.config(self.output(path, **{"batch_wait": "10ms", **more}), [file_job(self.dir / "app.log*")])
        for _ in range(CYCLES):
            agent = self.start(config)
            for _ in range(rng.randrange(1, 6)):
                writer.write(rng.randrange(1, 4000))
                if rng.random() < 0.3:
                    writer.rotate()
            if rng.random() < 0.8:
                agent.wait_ready()
            agent.runs_for(rng.random() * 0.7)
            agent.kill()
            self.agents.clear()
        self.start(config).wait_ready()

        def missing():
            have = {number_of(line) for line in self.lines()}
            return [number for number in range(writer.next) if number not in have]

        wait_until(lambda: f"missing {missing()[:10]}", lambda: not missing(), timeout=60, pause=0.2)
        whole = re.compile(r"seq=\d{9} [0-9a-f]{80}")
        count = collections.Counter()
        for line in self.lines():
            text = json.loads(line)["message"] if more.get("format") != "raw" else line
            self.assertRegex(text, whole)
            self.assertEqual(len(text), 94)
            count[number_of(text)] += 1
        self.assertEqual(self.agents[-1].stop()[0], 0)
        # What is there twice was in flight when it was killed: written, and not on the disk for sure.
        twice = sum(count.values()) - len(count)
        self.assertLess(twice, writer.next)

    def test_plain(self):
        self.cycles("a.ndjson")

    def test_zstd_rotated(self):
        self.cycles("a.ndjson.zst", rotate_size="64KiB")

    def test_gzip_raw_synced_always(self):
        self.cycles("a.log.gz", format="raw", sync="always")

    def test_after_a_clean_stop_nothing_is_there_twice(self):
        writer = RotatingWriter(self.log_file)
        config = self.config(self.output("a.log", format="raw"))
        for _ in range(3):
            agent = self.start(config).wait_ready()
            writer.write(3000)
            wait_until("some are there", lambda: self.out.exists() and len(self.lines()) > writer.next - 3000)
            self.assertEqual(agent.stop()[0], 0)
            self.agents.clear()
        self.start(config)
        self.wait_lines(writer.next)
        self.assertEqual([number_of(line) for line in self.lines()], list(range(writer.next)))


class RotationTest(FileCase):
    def test_by_size_keeps_so_many(self):
        self.start(self.config(self.output("a.log", format="raw", rotate_size="8KiB", keep=3, batch_max_size="2KiB"))).wait_ready()
        writer = RotatingWriter(self.log_file)
        writer.write(1000)
        wait_until(lambda: f"the last: {self.lines()[-1:]}", lambda: self.out.exists() and f"seq={999:09d}" in "\n".join(self.lines("a.log")))
        names = [os.path.basename(path) for path in self.files()]
        self.assertEqual(len(names), 4, names)
        for path in self.files():
            self.assertLessEqual(os.path.getsize(path), 8192)
        rotated = [name for name in names if name != "a.log"]
        for name in rotated:
            self.assertRegex(name, r"^a\.\d{8}T\d{6}\.\d{3}Z\.log$")
        numbers = [number_of(line) for line in decoded([self.out / name for name in (*rotated, "a.log")]).decode().splitlines()]
        self.assertEqual(numbers, list(range(numbers[0], 1000)))

    def test_by_time(self):
        self.start(self.config(self.output("a.log", format="raw", rotate_interval="1s"))).wait_ready()
        for n in range(3):
            write_lines(self.log_file, [f"line {n}"])
            wait_until("one more", lambda: n + 1 == (len(self.lines()) if self.out.exists() else 0))
            newest = os.stat(self.out / "a.log").st_mtime
            wait_until("the next second", lambda: int(harness.time.time()) > int(newest))
        self.assertEqual(len(self.files()), 3)

    def test_logrotate_moves_removes_and_truncates(self):
        agent = self.start(self.config(self.output("a.log", format="raw"))).wait_ready()
        path = self.out / "a.log"

        def line_arrives(text, where):
            write_lines(self.log_file, [text])
            wait_until(f"{text} in {where}", lambda: where.exists() and where.read_text().endswith(text + "\n"))

        line_arrives("one", path)
        os.rename(path, self.out / "a.log.1")
        line_arrives("two", path)
        self.assertEqual((self.out / "a.log.1").read_text(), "one\n")
        os.remove(path)
        line_arrives("three", path)
        self.assertEqual(path.read_text(), "three\n")
        os.truncate(path, 0)
        line_arrives("four", path)
        self.assertEqual(path.read_text(), "four\n")
        # Somebody has left half a line in it.
        with open(path, "a") as file:
            file.write("half")
        line_arrives("five", path)
        self.assertEqual(path.read_text(), "four\nfive\n")
        self.assertIn("unfinished end", agent.log())

    def test_a_file_that_is_not_its_own_is_set_aside(self):
        self.out.mkdir()
        (self.out / "a.log.gz").write_bytes(b"precious, and no gzip")
        self.start(self.config(self.output("a.log.gz", format="raw"))).wait_ready()
        write_lines(self.log_file, ["one"])
        wait_until("it is set aside", lambda: len(self.files()) == 2)
        self.wait_lines(1, "a.log.gz")
        self.assertEqual(self.lines("a.log.gz"), ["one"])
        aside = [path for path in self.files() if not path.endswith("/a.log.gz")]
        self.assertEqual([open(path, "rb").read() for path in aside], [b"precious, and no gzip"])


class TroubleTest(FileCase):
    def mount(self, size):
        self.out.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(self.out)], capture_output=True, text=True)
        if done.returncode != 0:
            raise harness.unittest.SkipTest(f"needs root to mount a small tmpfs: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.out)], check=False)

    def test_full_disk_waits_and_another_output_goes_on(self):
        self.mount("256k")
        sink = self.sink()
        config = self.config(self.output("a.log", format="raw"))
        config["clients"] = base_config(self.dir, sink.url, [])["clients"]
        agent = self.start(config).wait_ready()
        writer = RotatingWriter(self.log_file)
        writer.write(5000)  # 475 KB.
        self.wait_complete(agent, sink, writer)
        wait_until("the disk is full", lambda: self.failures(agent) > 1)
        self.assertIn("No space left", agent.log())
        self.assertIn("retrying", agent.get("/targets")[1] + agent.metrics().text)
        # Whole lines, as far as there is room.
        text = (self.out / "a.log").read_text()
        self.assertTrue(text == "" or text.endswith("\n"))
        subprocess.run(["mount", "-o", "remount,size=4m", str(self.out)], check=True)
        self.assertEqual([number_of(line) for line in self.wait_lines(5000)], list(range(5000)))
        self.assertEqual(agent.stop()[0], 0)

    def test_read_only_folder(self):
        self.mount("1m")
        subprocess.run(["mount", "-o", "remount,ro", str(self.out)], check=True)
        agent = self.start(self.config(self.output("sub/a.log", format="raw"))).wait_ready()
        write_lines(self.log_file, ["one"])
        wait_until("it fails", lambda: self.failures(agent) > 1)
        subprocess.run(["mount", "-o", "remount,rw", str(self.out)], check=True)
        self.assertEqual(self.wait_lines(1), ["one"])

    def test_one_bad_path_does_not_hold_up_the_others(self):
        self.out.mkdir()
        (self.out / "bad").write_text("a file where a folder should be")
        stages = [{"json": {"expressions": {"app": None}}}, {"labels": {"app": None}}]
        agent = self.start(self.config(self.output("%{[app]}/x.log", format="raw"), [file_job(self.log_file, stages=stages)])).wait_ready()
        write_lines(self.log_file, [json.dumps({"app": app}) for app in ("bad", "good", "bad", "fine")])
        self.wait_lines(1, "good/x.log")
        self.wait_lines(1, "fine/x.log")
        wait_until("it fails", lambda: self.failures(agent) > 0)
        (self.out / "bad").unlink()
        self.wait_lines(2, "bad/x.log")


class StdoutTest(FileCase):
    def start_piped(self, fd, stdout=None):
        config = self.config({"name": "shown", "stdout": stdout})
        path = self.dir / "piped.yaml"
        path.write_text(json.dumps(config))
        self.log = open(self.dir / "piped.log", "wb")
        self.addCleanup(self.log.close)
        process = subprocess.Popen([harness.AGENT, f"-config.file={path}"], stdout=fd, stderr=self.log, cwd=self.dir)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.port = config["server"]["http_listen_port"]
        wait_until("ready", lambda: self.get("/ready")[0] == 200)
        return process

    def get(self, path):
        return harness.http_get(f"http://127.0.0.1:{self.port}{path}")

    def test_entries_alone(self):
        write_lines(self.log_file, ["one", "two"])
        process = self.start_piped(subprocess.PIPE, {"format": "raw"})
        self.assertEqual([process.stdout.readline(), process.stdout.readline()], [b"one\n", b"two\n"])
        process.terminate()
        self.assertEqual(process.stdout.read(), b"")
        self.assertEqual(process.wait(), 0)

    def test_ndjson_by_default(self):
        write_lines(self.log_file, ["one"])
        process = self.start_piped(subprocess.PIPE)
        self.assertEqual(json.loads(process.stdout.readline())["message"], "one")

    def test_a_slow_reader_loses_nothing_and_blocks_nobody(self):
        writer = RotatingWriter(self.log_file)
        writer.write(20000)
        process = self.start_piped(subprocess.PIPE, {"format": "raw"})
        wait_until("it is being sent", lambda: 'state="sending"} 1' in self.get("/metrics")[1])
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(process.stdout))
        reader.start()
        wait_until("all", lambda: len(lines) == 20000)
        self.assertEqual([number_of(line.decode()) for line in lines], list(range(20000)))
        process.terminate()
        self.assertEqual(process.wait(), 0)
        reader.join()

    def test_stops_in_time_though_nobody_reads(self):
        writer = RotatingWriter(self.log_file)
        writer.write(20000)
        process = self.start_piped(subprocess.PIPE, {"format": "raw"})
        wait_until("it is being sent", lambda: 'state="sending"} 1' in self.get("/metrics")[1])
        process.terminate()
        self.assertEqual(process.wait(15), 0)
        text = process.stdout.read()
        self.assertTrue(text.endswith(b"\n"))

    def test_a_closed_pipe_keeps_what_was_not_taken(self):
        read, write = os.pipe()
        process = self.start_piped(write, {"format": "raw"})
        os.close(write)
        os.close(read)
        write_lines(self.log_file, ["one"])
        wait_until("it is held", lambda: 'state="holding"} 1' in self.get("/metrics")[1])
        self.assertIn("nobody reads any more", (self.dir / "piped.log").read_text())
        process.terminate()
        self.assertEqual(process.wait(15), 0)
        again = self.start_piped(subprocess.PIPE, {"format": "raw"})
        self.assertEqual(again.stdout.readline(), b"one\n")


if __name__ == "__main__":
    harness.main()
