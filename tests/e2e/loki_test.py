#!/usr/bin/env python3
"""What the agent ships to a real Loki is queried back and compared entry by entry: labels, timestamp to
the nanosecond, line, structured metadata."""

import datetime
import json
import pathlib
import time

import harness
from harness import base_config, file_job, wait_until, write_lines
from loki import Loki, key
from sink import Entry

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


def rfc3339(ns):
    whole = datetime.datetime.fromtimestamp(ns // SECOND, datetime.timezone.utc)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{ns % SECOND:09d}Z"


def gateway_line(number, ns):
    """A line of the inference gateway, as its logger writes it."""
    level = ("info", "info", "info", "warning", "error")[number % 5]
    return json.dumps(
        {
            "time": rfc3339(ns),
            "level": level,
            "logger": "uvicorn.access",
            "event": "http_request",
            "message": f'GET /api/v1/predict "{number}" na\u00efve \u6771\u4eac\ttab',
            "trace_id": f"{number:032x}",
            "status_code": 200 + number % 3,
            "latency_ms": number % 500 / 10,
            "user_id": str(10_000 + number),
        },
        ensure_ascii=bool(number % 2),
    )


class LokiTest(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.loki_dir = pathlib.Path(harness.tempfile.mkdtemp(prefix="log-agent-loki-"))
        cls.addClassCleanup(harness.shutil.rmtree, cls.loki_dir, ignore_errors=True)
        cls.loki = Loki(cls.loki_dir)
        cls.addClassCleanup(cls.loki.stop)
        cls.loki.wait_ready()

    def ship(self, job, count, begin, end, config=None):
        """Runs the agent until Loki has `count` entries of the job in [begin, end)."""
        agent = self.start(config or base_config(self.dir, self.loki.url, [job]))
        selector = f'{{job="{job["job_name"]}"}}' if isinstance(job, dict) else job
        found = []

        def arrived():
            agent.check_running()
            found[:] = self.loki.query(selector, begin, end)
            return len(found) >= count

        wait_until(lambda: f"{len(found)} of {count} entries came", arrived, timeout=60, pause=0.2)
        code, _ = agent.stop()
        self.assertEqual(code, 0)
        return self.loki.query(selector, begin, end)

    def compare(self, got, want):
        want = sorted(want, key=key)
        self.assertEqual(len(got), len(want))
        for have, expected in zip(got, want):
            self.assertEqual(have._asdict(), expected._asdict())

    def test_docker(self):
        base = time.time_ns() - 600 * SECOND
        path = self.dir / "0a1b-json.log"
        lines, want = [], []
        for number in range(3000):
            ns = base + number * 1_000_003
            text = gateway_line(number, ns)
            stream = "stderr" if number % 5 == 4 else "stdout"
            # The daemon's time is another one: that of the line has to win.
            lines.append(json.dumps({"log": text + "\n", "stream": stream, "time": rfc3339(ns + 777)}))
            fields = json.loads(text)
            want.append(
                Entry(
                    {"job": "docker", "stream": stream, "filename": str(path), "level": fields["level"]},
                    ns,
                    text + "\n",
                    {"trace_id": fields["trace_id"]},
                )
            )
        write_lines(path, lines)
        stages = [
            {"docker": {}},
            {"json": {"expressions": {"ts": "time", "level": "level", "trace_id": "trace_id"}}},
            {"timestamp": {"source": "ts", "format": "RFC3339Nano"}},
            {"labels": {"level": None}},
            {"structured_metadata": {"trace_id": None}},
        ]

        got = self.ship(file_job(path, "docker", stages), len(want), base - SECOND, base + DAY)

        self.compare(got, want)

    def test_cri_with_partial_lines(self):
        base = time.time_ns() - 600 * SECOND
        path = self.dir / "0.log"
        lines, want = [], []
        for number in range(2000):
            ns = base + number * 1_000_000
            text = gateway_line(number, ns)
            stream = "stderr" if number % 5 == 4 else "stdout"
            if number % 7 == 0:  # In three pieces. The time of an entry is that of its last one.
                third = len(text) // 3
                lines.append(f"{rfc3339(ns - 2)} {stream} P {text[:third]}")
                lines.append(f"{rfc3339(ns - 1)} {stream} P {text[third : 2 * third]}")
                lines.append(f"{rfc3339(ns)} {stream} F {text[2 * third :]}")
            else:
                lines.append(f"{rfc3339(ns)} {stream} F {text}")
            labels = {"job": "cri", "stream": stream, "filename": str(path)}
            want.append(Entry(labels, ns, text, {}))
        write_lines(path, lines)

        got = self.ship(file_job(path, "cri", [{"cri": {}}]), len(want), base - SECOND, base + DAY)

        flags = {entry.labels.pop("flags", None) for entry in got}
        self.assertLessEqual(flags, {None, "F"})
        self.compare(sorted(got, key=key), want)

    def test_plain_lines_get_the_time_of_reading(self):
        path = self.dir / "plain.log"
        lines = [f"line {number} \u00fc\u00e4 \t end \\ \"quoted\"" for number in range(5000)] + ["", "after an empty line"]
        begin = time.time_ns()
        write_lines(path, lines)

        got = self.ship(file_job(path, "plain"), len(lines), begin, begin + DAY)

        self.assertEqual([entry.line for entry in sorted(got, key=lambda e: e.ts)], lines)
        self.assertTrue(all(begin <= entry.ts <= time.time_ns() + SECOND for entry in got))
        self.assertEqual({tuple(sorted(entry.labels.items())) for entry in got}, {(("filename", str(path)), ("job", "plain"))})

    # --- Configurations as people have them; only paths and URLs are replaced.

    def published(self, name, log, selector, count, begin=None):
        begin = begin or time.time_ns()
        text = (harness.HERE / "configs" / name).read_text()
        text = text.replace("@LOG@", str(log)).replace("@URL@", self.loki.url)
        text = text.replace("@PORT@", str(harness.free_port())).replace("@STATE@", str(self.dir))
        return self.ship(selector, count, begin, time.time_ns() + DAY, text)

    def test_inference_gateway_job(self):
        log = self.dir / "gateway"
        log.mkdir()
        path = log / "app.log"
        now = time.time_ns()
        lines = [gateway_line(number, now) for number in range(500)]
        write_lines(path, lines)

        got = self.published("inference-gateway.yaml", log, '{job="inference-gateway"}', len(lines), now)

        self.assertEqual([e.line for e in sorted(got, key=lambda e: int(json.loads(e.line)["user_id"]))], lines)
        for entry in got:
            self.assertEqual(
                entry.labels,
                {
                    "job": "inference-gateway",
                    "service": "inference-gateway",
                    "environment": "lab",
                    "filename": str(path),
                    "level": json.loads(entry.line)["level"],
                },
            )

    def test_syslog_job(self):
        path = self.dir / "syslog"
        when = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(hours=1)
        lines, want = [], []
        for number in range(300):
            at = when + datetime.timedelta(seconds=number)
            process, pid = ("sshd", f"[{100 + number}]") if number % 2 else ("kernel", "")
            message = f"message {number}: with a colon"
            lines.append(f"{at:%b} {at.day:2d} {at:%H:%M:%S} node-1 {process}{pid}: {message}")
            labels = {
                "job": "syslog",
                "service": "system",
                "filename": str(path),
                "hostname": "node-1",
                # \S+ is greedy: it takes the process id as well.
                "process": process + pid,
            }
            want.append(Entry(labels, int(at.timestamp()) * SECOND, message, {}))
        write_lines(path, lines)
        begin = int(when.timestamp() - 60) * SECOND

        got = self.published("syslog.yaml", path, '{job="syslog"}', len(lines), begin)

        self.compare(got, want)

    def test_ml_platform_and_training_jobs(self):
        logs = self.dir / "ml"
        (logs / "ml-platform").mkdir(parents=True)
        (logs / "training").mkdir()
        write_lines(
            logs / "ml-platform/app.log",
            [
                json.dumps({"level": "INFO", "message": f"batch {n}", "model_name": "bert", "model_version": f"v{n % 3}"})
                for n in range(300)
            ],
        )
        write_lines(logs / "training/run.log", [f"Epoch {n % 4} done, loss: 0.{100 + n}" for n in range(200)])
        begin = time.time_ns()

        got = self.published("ml-platform.yaml", logs, '{job=~"ml-platform|training"}', 500, begin)

        platform = [e for e in got if e.labels["job"] == "ml-platform"]
        self.assertEqual(len(platform), 300)
        self.assertEqual({e.labels["version"] for e in platform}, {"v0", "v1", "v2"})
        self.assertEqual({e.labels["model"] for e in platform}, {"bert"})
        training = [e for e in got if e.labels["job"] == "training"]
        self.assertEqual(len(training), 200)
        self.assertTrue(all(e.labels["epoch"] == e.line.split()[1] for e in training))

    def test_security_job(self):
        log = self.dir / "falco"
        log.mkdir()
        write_lines(
            log / "events.json",
            [json.dumps({"priority": ("Notice", "Critical")[n % 2], "rule": "shell", "output": f"event {n}"}) for n in range(100)],
        )
        begin = time.time_ns()

        got = self.published("falco-security.yaml", log, '{job="security"}', 100, begin)

        self.assertEqual(len(got), 100)
        for entry in got:
            self.assertEqual(entry.labels["priority"], json.loads(entry.line)["priority"])


if __name__ == "__main__":
    harness.main()
