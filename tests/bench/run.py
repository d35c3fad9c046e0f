#!/usr/bin/env python3
"""Measures the agent end to end: one generated file in, a counting receiver on loopback out.

  tests/bench/run.py                    all workloads, three runs each, a table at the end
  tests/bench/run.py W1 W2 --runs 1 --megabytes 100
  tests/bench/run.py --agent PATH       another binary that reads Promtail's configuration

Needs build/release (cmake --preset release && cmake --build --preset release). CPU seconds are user + system
of the whole process, from its start until it has stopped after the last line; positions, acknowledgements and
the ledger are on. The agent has one CPU, the receiver another. The last column compares with bench_reference,
which only reads, splits and compresses the same file, in the same run.
"""

import argparse
import datetime
import http.client
import json
import os
import pathlib
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EMAIL = r"([A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,})"
NGINX = (
    r'^(?P<remote_addr>\S+) - (?P<remote_user>\S+) \[(?P<time_local>[^\]]+)\] "(?P<method>\S+) (?P<path>\S+) [^"]*" '
    r'(?P<status>\d{3}) (?P<bytes>\d+) "(?P<referer>[^"]*)" "(?P<agent>[^"]*)"$'
)
GATEWAY = [
    {"docker": {}},
    {"json": {"expressions": {"ts": "time", "level": "level"}}},
    {"timestamp": {"source": "ts", "format": "RFC3339Nano"}},
    {"labels": {"level": None}},
]
REDACT = [
    {"replace": {"expression": EMAIL, "replace": "<email>"}},
    {"replace": {"expression": r'"user_id":"(\d+)"', "replace": "<user>"}},
]
CRI = [{"cri": {}}, {"json": {"expressions": {"level": "level"}}}, {"labels": {"level": None}}]
MULTILINE = [{"multiline": {"firstline": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}"}}]
LOGFMT = [
    {"logfmt": {"mapping": {"ts": None, "level": None, "status": None, "took": None}}},
    {"timestamp": {"source": "ts", "format": "RFC3339Nano"}},
    {"labels": {"level": None}},
]
TEMPLATE = [
    {"docker": {}},
    {"json": {"expressions": {"level": None, "logger": None, "message": None}}},
    {"template": {"source": "level", "template": "{{ ToUpper .Value }}"}},
    {"template": {"source": "text", "template": "{{ .level }} [{{ .logger }}] {{ .message }}"}},
    {"output": {"source": "text"}},
]
METRICS = [
    {"docker": {}},
    {"json": {"expressions": {"level": None, "status_code": None, "latency_ms": None}}},
    {"labels": {"level": None}},
    {
        "metrics": {
            "lines_total": {"type": "Counter", "config": {"match_all": True, "action": "inc"}},
            "bytes_total": {"type": "Counter", "config": {"match_all": True, "count_entry_bytes": True, "action": "add"}},
            "errors_total": {"type": "Counter", "source": "level", "config": {"value": "error", "action": "inc"}},
            "status": {"type": "Gauge", "source": "status_code", "config": {"action": "set"}},
            "latency_ms": {"type": "Histogram", "config": {"buckets": [1, 5, 10, 50, 100, 250, 500]}},
        }
    },
]
TEN = [
    {"static_labels": {"env": "prod"}},
    {"template": {"source": "level", "template": "{{ ToUpper .Value }}"}},
    {"labels": {"level": None}},
    {"drop": {"source": "level", "value": "TRACE"}},
    {"match": {"selector": '{env="prod"}', "stages": [{"static_labels": {"tier": "web"}}]}},
    {"labeldrop": ["filename"]},
    {"labelallow": ["job", "env", "level", "tier"]},
    {"decolorize": None},
    {"sampling": {"rate": 1}},
    {"structured_metadata": {"severity": "level"}},
]
# By a label: it costs nothing a line.
NOTHING_LEFT = [{"match": {"selector": '{job="bench"}', "action": "drop"}}]
WORKLOADS = {
    "W1": ("plain", [], "plain text, no pipeline"),
    "W2": ("docker", GATEWAY + REDACT, "docker, json, timestamp, label, two redactions"),
    "W2b": ("docker", GATEWAY, "docker, json, timestamp, label"),
    "W3": ("cri", CRI, "cri, json, label"),
    "W4": ("nginx", [{"regex": {"expression": NGINX}}, {"labels": {"status": None}}], "regex of 9 groups, label"),
    "W2+10": ("docker", GATEWAY + REDACT + TEN, "W2 and ten simple stages"),
    "logfmt": ("logfmt", LOGFMT, "logfmt, timestamp, label"),
    "template": ("docker", TEMPLATE, "docker, json, two templates, output"),
    "metrics": ("docker", METRICS, "docker, json, label, five metrics"),
    "multiline": ("multiline", MULTILINE, "stack traces of 1 to 6 lines, joined"),
    "W1es": ("plain", [], "plain text to Elasticsearch, gzip"),
    "W5": ("docker", GATEWAY + REDACT, "W2 to Elasticsearch, gzip"),
    "W1lj": ("plain", [], "plain text to Logstash, lumberjack, zlib"),
    "W2lj": ("docker", GATEWAY + REDACT, "W2 to Logstash, lumberjack, zlib"),
    "W2x3": ("docker", GATEWAY + REDACT, "W2 to Loki, Elasticsearch and Logstash at once"),
    "W2none": ("docker", GATEWAY + REDACT + NOTHING_LEFT, "W2 without an output: all is dropped at the end"),
    "W2disk": ("docker", GATEWAY + REDACT, "W2, all of it through the disk buffer"),
    "W5disk": ("docker", GATEWAY + REDACT, "W5, all of it through the disk buffer"),
}
# What receives; Loki alone where nothing is said. Each is a process of its own.
RECEIVERS = {
    "W1es": ["elasticsearch"],
    "W5": ["elasticsearch"],
    "W1lj": ["logstash"],
    "W2lj": ["logstash"],
    "W2x3": ["loki", "elasticsearch", "logstash"],
    "W2none": [],
    "W5disk": ["elasticsearch"],
}
# The receiver refuses everything until all of it is in the buffer.
BUFFERED = {"W2disk", "W5disk"}

_tick = threading.Event()  # Never set: its wait() is a pause between two looks.


def pinned(cpu):
    """For subprocesses: on one CPU, where there are two to choose from."""
    cpus = sorted(os.sched_getaffinity(0))
    return (lambda: os.sched_setaffinity(0, {cpus[cpu]})) if len(cpus) > 1 else None


def run_to_end(command, **more):
    """(CPU seconds, peak RSS in MiB) of a process that ends by itself."""
    process = subprocess.Popen(command, preexec_fn=pinned(0), stdout=subprocess.DEVNULL, **more)
    return finished(process)


def finished(process):
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def data_file(bin_dir, data, form, megabytes):
    """The generated file and what is in it; made once. Reading it puts it into the page cache."""
    path = data / f"{form}-{megabytes}.log"
    about = data / f"{form}-{megabytes}.json"
    if not about.exists():
        made = subprocess.run(
            [bin_dir / "bench_gen", form, str(megabytes), path], check=True, capture_output=True, text=True
        )
        about.write_text(made.stdout)
    with open(path, "rb") as file:
        while file.read(1 << 22):
            pass
    return path, json.loads(about.read_text())


def receivers(kinds, ports, buffered):
    """Sections of the configuration."""
    clients, outputs = [], []
    buffer = {"buffer": {"min_free": 0}} if buffered else {}
    backoff = {"min_period": "50ms", "max_period": "100ms"}
    for number, (kind, port) in enumerate(zip(kinds, ports)):
        url = f"http://127.0.0.1:{port}"
        if kind == "loki":
            wait = {"backoff_config": backoff} if buffered else {}
            clients.append({"name": f"to-{number}", "url": f"{url}/loki/api/v1/push", **wait, **buffer})
        elif kind == "logstash":
            stash = {"hosts": [f"127.0.0.1:{port}"], "compression_level": 3}
            outputs.append({"name": f"to-{number}", "logstash": stash, **buffer})
        else:
            wait = {"backoff": backoff} if buffered else {}
            search = {"hosts": [url], "index": "bench-%{+yyyy.MM.dd}", **wait}
            outputs.append({"name": f"to-{number}", "elasticsearch": search, **buffer})
    if not kinds:
        clients.append({"url": "http://127.0.0.1:9/loki/api/v1/push"})  # Never asked.
    return {**({"clients": clients} if clients else {}), **({"outputs": outputs} if outputs else {})}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def configuration(state, ports, path, stages, kinds, buffered):
    server = {"http_listen_address": "127.0.0.1", "http_listen_port": free_port(), "grpc_listen_port": 0}
    return {
        "server": server if buffered else {"disable": True},
        "positions": {"filename": f"{state}/positions.yaml"},
        **receivers(kinds, ports, buffered),
        "scrape_configs": [
            {
                "job_name": "bench",
                "pipeline_stages": stages,
                "static_configs": [{"targets": ["localhost"], "labels": {"job": "bench", "__path__": str(path)}}],
            }
        ],
    }


class SinkProcess:
    """A bench_sink."""

    def __init__(self, bin_dir, lines):
        command = [bin_dir / "bench_sink", str(lines)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=pinned(1))
        self.port = int(self.process.stdout.readline())
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def get(self, path):
        self._connection.request("GET", path)
        return json.loads(self._connection.getresponse().read())

    def close(self):
        self.process.kill()
        self.process.wait()


def entries_in_buffer(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return 0
    return sum(float(line.split()[-1]) for line in lines if line.startswith("agent_buffer_entries{"))


def measure(binary, bin_dir, path, about, stages, name, timeout):
    """One run: CPU seconds, peak RSS, seconds to the first push, what came (of several receivers, at all)."""
    state = tempfile.mkdtemp(prefix="log-agent-bench-")
    kinds, buffered = RECEIVERS.get(name, ["loki"]), name in BUFFERED
    sinks = [SinkProcess(bin_dir, about["lines"]) for _ in kinds]
    try:
        for sink in sinks if buffered else []:
            sink.get("/refuse")
        settings = configuration(state, [sink.port for sink in sinks], path, stages, kinds, buffered)
        config = pathlib.Path(state, "config.json")
        config.write_text(json.dumps(settings))
        begin = time.monotonic()
        with open(f"{state}/log", "wb") as log:
            to_end = [] if kinds else ["-once"]
            process = subprocess.Popen(
                [binary, f"-config.file={config}", *to_end], stdout=log, stderr=log, cwd=state, preexec_fn=pinned(0)
            )

        def wait(what, count, pause):
            while (now := count()) < about["lines"]:
                if process.poll() is not None or time.monotonic() - begin > timeout:
                    print(pathlib.Path(state, "log").read_text()[-2000:], file=sys.stderr)
                    process.kill()
                    raise SystemExit(f"only {now} of {about['lines']} lines {what}")
                _tick.wait(pause)

        if buffered:
            wait("are in the buffer", lambda: entries_in_buffer(settings["server"]["http_listen_port"]), 0.2)
            for sink in sinks:
                sink.get("/accept")
        if sinks:
            wait("came", lambda: min(sink.get("/stats")["distinct"] for sink in sinks), 0.02)
            process.send_signal(signal.SIGTERM)
        wall = time.monotonic() - begin
        cpu, rss = finished(process)
        told = [sink.get("/stats") for sink in sinks]
    finally:
        for sink in sinks:
            sink.close()
        shutil.rmtree(state, ignore_errors=True)
    if not told:
        return {"cpu": cpu, "rss": rss, "wall": wall, "wire_bytes": 0, "repeated": 0, "bad": 0, "first": 0}
    now = {key: sum(each[key] for each in told) for key in told[0]}
    first = min(each["first_ns"] for each in told) / 1e9 - begin
    return {"cpu": cpu, "rss": rss, "wall": wall, **now, "first": first}


def together(cpu):
    """What three encoders cost at once, of what they cost one by one: without reading and the pipeline, which is done once."""
    if not {"W2none", "W2", "W5", "W2lj", "W2x3"} <= cpu.keys():
        return None
    alone = sum(cpu[name] - cpu["W2none"] for name in ("W2", "W5", "W2lj"))
    return (cpu["W2x3"] - cpu["W2none"]) / alone


def cpu_model():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", default=list(WORKLOADS), metavar="W", help=" ".join(WORKLOADS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "tests/bench/data", help="where generated files stay")
    parser.add_argument("--agent", help="another binary than that of the build")
    parser.add_argument("--timeout", type=float, default=600)
    options = parser.parse_args()
    bin_dir = options.build / "bin"
    binary = options.agent or bin_dir / "agent"
    options.data.mkdir(parents=True, exist_ok=True)

    rows, cpu = [], {}
    for name in options.workloads:
        form, stages, words = WORKLOADS[name]
        path, about = data_file(bin_dir, options.data, form, options.megabytes)
        megabytes = about["bytes"] / 1e6
        runs, references = [], []
        for _ in range(options.runs):
            references.append(megabytes / run_to_end([bin_dir / "bench_reference", path])[0])
            runs.append(measure(binary, bin_dir, path, about, stages, name, options.timeout))
            print(name, json.dumps(runs[-1]), file=sys.stderr, flush=True)
        cpu[name] = statistics.median(run["cpu"] for run in runs)
        rates = [megabytes / run["cpu"] for run in runs]
        rows.append(
            f"| {name} | {words} | **{statistics.median(rates):.0f}** ({min(rates):.0f}-{max(rates):.0f}) "
            f"| {max(run['rss'] for run in runs):.0f} | {statistics.median(run['first'] for run in runs):.2f} "
            f"| {statistics.median(run['wire_bytes'] for run in runs) / about['bytes']:.2f} "
            f"| {sum(run['repeated'] + run['bad'] for run in runs)} "
            f"| {statistics.median(rates) / statistics.median(references):.2f} |"
        )
    print(f"{datetime.date.today()}, {cpu_model()}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}; "
          f"{options.megabytes} MB each, median of {options.runs}\n")
    print("| | pipeline | MB of input per CPU-second | peak RSS MiB | first push s | wire / input | repeated or bad | of the straight line |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))
    if (ratio := together(cpu)) is not None:
        print(f"\nThree encoders at once cost {ratio:.2f} of the sum of the three (W2x3 against W2, W5 and W2lj, each less W2none).")


if __name__ == "__main__":
    main()
