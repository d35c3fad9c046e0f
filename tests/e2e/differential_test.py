#!/usr/bin/env python3
"""The same as Promtail, proven: the real one and the agent read the same files through the same pipelines, and
what they push and count is compared. differential/README.md says how."""

import concurrent.futures
import os
import pathlib
import re
import sys
import time
import unittest

import harness
from harness import Metrics, free_port, http_get, wait_until
from sink import Sink

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "differential"))

import cases  # noqa: E402
import expected  # noqa: E402
import records  # noqa: E402

SEED = os.environ.get("DIFFERENTIAL_SEED", "1")
TIMES = int(os.environ.get("DIFFERENTIAL_LINES", "1"))
GENERATED = int(os.environ.get("DIFFERENTIAL_GENERATED", "8"))
ONLY = re.compile(os.environ.get("DIFFERENTIAL_ONLY", ""))
# How long nothing may come before everything is taken to have come. Longer than the waits of the `multiline`
# pipelines and a batch together.
QUIET = 1.5
_MOST_ISOLATED = 5

_CONFIG = """\
server: {{http_listen_address: 127.0.0.1, http_listen_port: {port}, grpc_listen_address: 127.0.0.1, grpc_listen_port: 0, log_level: {level}}}
positions: {{filename: {directory}/{name}-positions.yaml, sync_period: 1s}}
clients:
  - {{url: "{url}", batchwait: 200ms, timeout: 30s, backoff_config: {{min_period: 50ms, max_period: 500ms}}}}
scrape_configs:
"""


class Program:
    """One of the two, reading the files of all jobs."""

    def __init__(self, name, binary, directory, jobs):
        self.name = name
        self.jobs = jobs  # {job: (case, file)}
        self.sink = Sink(decode=records.decode)
        self.port = free_port()
        config = _CONFIG.format(port=self.port, directory=directory, name=name, url=self.sink.url, level="warn")
        config += "".join(case.scrape_config(job, file) for job, (case, file) in jobs.items())
        self.process = harness.Agent(directory, config, name=name, binary=binary)

    def scrape(self):
        status, text = http_get(f"http://127.0.0.1:{self.port}/metrics")
        return text if status == 200 else ""

    def _read(self):
        """How many of the files were read to their end."""
        self.process.check_running()
        have = {}
        for name, labels, value in Metrics(self.scrape()).samples:
            if name == "promtail_read_lines_total":
                have[labels["path"]] = value
        return {job for job, (case, file) in self.jobs.items() if have.get(str(file)) == len(case.lines)}

    def wait_read(self):
        def missing():
            left = [self.jobs[job][0].title for job in set(self.jobs) - self._read()]
            return f"{self.name}: not read to the end for {len(left)} of {len(self.jobs)} pipelines: {left[:5]}"

        wait_until(missing, lambda: len(self._read()) == len(self.jobs), timeout=240, pause=0.2)

    def wait_quiet(self):
        seen = {"count": -1, "at": 0.0}

        def quiet():
            self.process.check_running()
            count = self.sink.taken_count()
            if count != seen["count"]:
                seen.update(count=count, at=time.monotonic())
            return time.monotonic() - seen["at"] > QUIET

        wait_until(f"{self.name}: entries keep coming", quiet, timeout=240, pause=0.05)

    def stop(self):
        self.process.stop(timeout=40)
        self.sink.close()
        if self.sink.errors:
            raise AssertionError(f"{self.name} sent what cannot be read: {self.sink.errors[:3]}")
        with self.sink.lock:
            self.found = records.by_pipeline(self.sink.pushes)

    def end(self):
        if self.process.process.poll() is None:
            self.process.kill()


class Run:
    """Both programs over the same cases."""

    def __init__(self, directory, promtail, chosen):
        directory.mkdir()
        self.jobs = {}
        for number, case in enumerate(chosen):
            job = f"p{number:04d}"
            file = directory / f"{job}.log"
            file.write_bytes(b"".join(line + b"\n" for line in case.lines))
            self.jobs[job] = case, file
        self.begin_ns = time.time_ns() - 10**9
        both = []
        try:
            both.append(Program("promtail", promtail, directory, self.jobs))
            both.append(Program("agent", harness.AGENT, directory, self.jobs))
            for step in ("wait_read", "wait_quiet"):
                for program in both:
                    getattr(program, step)()
            self.metrics = [records.log_metrics(program.scrape()) for program in both]
            for program in both:
                program.stop()
        except AssertionError as error:
            logs = "\n".join(f"--- {p.name}\n{p.process.log()[-3000:]}" for p in both)
            raise AssertionError(f"{error}\n{logs}") from None
        finally:
            for program in both:
                program.end()
        self.end_ns = time.time_ns() + 10**9
        self.both = both

    def difference(self, job):
        case = self.jobs[job][0]
        view = records.View(case, self.begin_ns, self.end_ns)
        theirs, ours = (program.found.get(job, {}) for program in self.both)
        if case.title in expected.RELABELLED:
            if not records.difference(view.streams(theirs), view.streams(ours)):
                return "  expected to differ, and does not"
            return records.difference(view.streams(theirs, expected.RELABELLED[case.title]), view.streams(ours))
        return records.difference(view.streams(theirs), view.streams(ours))

    def differing(self):
        return [job for job in self.jobs if self.difference(job)]

    def metric_difference(self):
        return records.metric_difference(*self.metrics)


class Refusal:
    """One configuration, and whether each of the two takes it."""

    def __init__(self, directory, promtail, case):
        directory.mkdir()
        file = directory / "a.log"
        file.write_bytes(b"line\n")
        config = _CONFIG.format(port=0, directory=directory, name="x", url="http://127.0.0.1:1/", level="info")
        config += case.scrape_config("p0000", file, mark=False)
        self.agent_refuses = harness.run_agent(directory, ["--check-syntax"], config=config).returncode != 0
        process = harness.Agent(directory, config, name="promtail", binary=promtail)
        try:
            self.promtail_refuses = wait_until("Promtail starts, or ends", lambda: self._decided(process)) == "ended"
        finally:
            process.kill()
        self.log = process.log()[-1500:]

    @staticmethod
    def _decided(process):
        if process.process.poll() is not None:
            return "ended"
        return "started" if "Starting Promtail" in process.log() else None


class DifferentialTest(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.promtail = harness.build_server("promtail")
        pipelines, refused = cases.load(SEED, TIMES, time.time_ns())
        pipelines += cases.generate(SEED, GENERATED)
        cls.pipelines = [case for case in pipelines if ONLY.search(case.title)]
        cls.refused = [case for case in refused if ONLY.search(case.title)]

    def test_entries_and_metrics(self):
        run = Run(self.dir / "run", self.promtail, self.pipelines)

        count = sum(len(found) for program in run.both for found in program.found.values())
        print(f"{len(self.pipelines)} pipelines, {count // 2} streams, seed {SEED}", file=sys.stderr)
        report = []
        differing = run.differing()
        for number, job in enumerate(differing):
            case = run.jobs[job][0]
            report.append(f"--- {case.title}\n{case.stages.rstrip()}")
            report.append(self.isolated(case, number) if number < _MOST_ISOLATED else "")
            report.append(run.difference(job))
        metrics = run.metric_difference()
        if metrics:
            report.append(f"--- metrics\n{metrics}")
        if report:
            report = "\n".join(part for part in report if part)
            self.fail(f"{len(differing)} pipelines differ; DIFFERENTIAL_SEED={SEED}\n{report}")

    def isolated(self, case, number):
        """The lines that make the difference by themselves, with what each program makes of them."""
        alone = Run(self.dir / f"isolated{number}", self.promtail, [case.with_lines([line]) for line in case.lines])
        out = []
        for job in alone.differing()[:3]:
            out.append(f"  input line: {alone.jobs[job][0].lines[0]!r}\n{alone.difference(job)}")
        return "\n".join(out) or "  no single line makes a difference"

    def refusal(self, number):
        return Refusal(self.dir / f"refused{number}", self.promtail, self.refused[number])

    def test_refused(self):
        with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
            answers = list(pool.map(self.refusal, range(len(self.refused))))
        for case, answer in zip(self.refused, answers):
            with self.subTest(case.title):
                on_purpose = case.title in expected.REFUSED_BY_US
                self.assertEqual(case.refuse == "ours", on_purpose, "`refuse: ours` and expected.py disagree")
                self.assertTrue(answer.agent_refuses, f"the agent takes it:\n{case.stages}")
                self.assertEqual(answer.promtail_refuses, not on_purpose, f"Promtail:\n{case.stages}\n{answer.log}")

    def test_there_are_enough_pipelines(self):
        if ONLY.pattern:
            self.skipTest("only some were asked for")
        self.assertGreaterEqual(len(self.pipelines), 60)


if __name__ == "__main__":
    harness.main()
