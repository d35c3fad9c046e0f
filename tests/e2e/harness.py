"""What every end-to-end test stands on: the agent as a process in a directory of its own, waiting for
conditions (never for time to pass), and a main() that speaks ctest's language.

Environment: AGENT is the binary (default: build/release/bin/agent of this checkout). SANITIZED=1 says
that it is built with a sanitizer, so its memory and speed mean nothing. AGENT_REQUIRE_SERVERS=1 turns
"this server cannot be built here" from a skip into a failure. AGENT_FULL=1: the long forms of the tests.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

from ports import free_port  # noqa: F401 (tests take it from here)
from writer import Tally

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
AGENT = os.environ.get("AGENT", str(ROOT / "build/release/bin/agent"))
SANITIZED = os.environ.get("SANITIZED", "") not in ("", "0")
FULL = os.environ.get("AGENT_FULL", "") not in ("", "0")
SKIPPED = 77  # What ctest is told to take for a skip.

_tick = threading.Event()  # Never set: its wait() is a pause between two looks.


def wait_until(what, condition, timeout=30.0, pause=0.02):
    """Waits until condition() gives something true, and returns it. `what` is for the message; a
    callable is asked at the end, so that it can say how far things came."""
    deadline = time.monotonic() + timeout * (5 if SANITIZED else 1)
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what() if callable(what) else what}")
        _tick.wait(pause)


def wait_pause(seconds):
    """For a receiver that is to be slow. Tests themselves wait for conditions."""
    if seconds:
        _tick.wait(seconds)


def http_get(url, method="GET", headers=None, timeout=10):
    """(status, text). Status 0: nobody answered."""
    request = urllib.request.Request(url, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")
    except (urllib.error.URLError, OSError) as error:
        return 0, str(error)


def build_server(name):
    """The path of a server's binary; skips the test, in one clear line, where it cannot be built."""
    result = subprocess.run([str(HERE / "servers/build.sh"), name], capture_output=True, text=True)
    if result.returncode == 0:
        return result.stdout.strip()
    if os.environ.get("AGENT_REQUIRE_SERVERS") == "1":
        raise AssertionError(result.stderr.strip())
    raise unittest.SkipTest(result.stderr.strip())


_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One scrape."""

    def __init__(self, text):
        self.text = text
        self.samples = []  # (name, labels, value)
        for line in text.splitlines():
            match = _SAMPLE.match(line)
            if match and not line.startswith("#"):
                labels = dict(_PAIR.findall(match.group(2) or ""))
                self.samples.append((match.group(1), labels, float(match.group(3))))

    def names(self):
        return {name for name, _, _ in self.samples}

    def sum(self, name, **labels):
        return sum(
            value
            for sample, have, value in self.samples
            if sample == name and all(have.get(key) == want for key, want in labels.items())
        )


def base_config(directory, url, jobs, **more):
    """A configuration with short waits. JSON is YAML, so that a dict will do."""
    config = {
        "server": {"http_listen_address": "127.0.0.1", "http_listen_port": free_port(), "grpc_listen_port": 0},
        "positions": {"filename": str(directory / "positions.yaml"), "sync_period": "1s"},
        "clients": [
            {
                "url": each,
                "batchwait": "100ms",
                "timeout": "30s",
                "backoff_config": {"min_period": "50ms", "max_period": "500ms"},
            }
            for each in ([url] if isinstance(url, str) else url)
        ],
        "target_config": {"sync_period": "1s"},
        "scrape_configs": jobs,
    }
    config.update(more)
    return config


def file_job(path, name="test", stages=None, labels=None):
    return {
        "job_name": name,
        "pipeline_stages": stages or [],
        "static_configs": [{"targets": ["localhost"], "labels": {"job": name, **(labels or {}), "__path__": str(path)}}],
    }


class Agent:
    """One run of the agent. `config` is a dict or YAML text; it is written to `directory`. `prefix`: a command
    that runs it, and becomes it. `binary`: another program that takes such a configuration."""

    def __init__(self, directory, config, args=(), name="agent", env=None, prefix=(), binary=AGENT):
        self.directory = pathlib.Path(directory)
        self.config_path = self.directory / f"{name}.yaml"
        self.write_config(config)
        self.port = None
        if isinstance(config, dict):
            self.port = config.get("server", {}).get("http_listen_port")
        self.log_path = self.directory / f"{name}.log"
        self._log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [*prefix, binary, f"-config.file={self.config_path}", *args],
            stdout=self._log,
            stderr=self._log,
            cwd=self.directory,
            env={**os.environ, **(env or {})},
        )

    def write_config(self, config):
        text = config if isinstance(config, str) else json.dumps(config, indent=1)
        self.config_path.write_text(text)

    def get(self, path, method="GET"):
        return http_get(f"http://127.0.0.1:{self.port}{path}", method)

    def metrics(self):
        status, text = self.get("/metrics")
        if status != 200:
            raise AssertionError(f"/metrics answers {status}: {text[:200]}")
        return Metrics(text)

    def wait_ready(self, timeout=20):
        def ready():
            self.check_running()
            return self.get("/ready")[0] == 200

        wait_until(lambda: f"/ready: {self.get('/ready')}", ready, timeout)
        return self

    def check_running(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the agent ended by itself, exit code {self.process.returncode}\n{self.log()[-3000:]}")

    def log(self):
        return self.log_path.read_text(errors="replace")

    def rss_kib(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    def cpu_seconds(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def runs_for(self, seconds):
        """Lets it run; that it ends meanwhile is a failure."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        self.check_running()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self._log.close()

    def stop(self, timeout=15):
        """SIGTERM; gives the exit code and how long it took."""
        begin = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {timeout} s after SIGTERM\n{self.log()[-3000:]}") from None
        self._log.close()
        return code, time.monotonic() - begin


def run_agent(directory, args, config=None, stdin=b"", timeout=60):
    """Runs it to its end; gives the completed process with bytes in stdout and stderr."""
    command = [AGENT, *args]
    if config is not None:
        path = pathlib.Path(directory) / "config.yaml"
        path.write_text(config if isinstance(config, str) else json.dumps(config, indent=1))
        command.insert(1, f"-config.file={path}")
    return subprocess.run(command, input=stdin, capture_output=True, cwd=directory, timeout=timeout, check=False)


class TestCase(unittest.TestCase):
    """A temporary directory in `self.dir`, and what was begun ends with the test."""

    maxDiff = 4000

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="log-agent-"))
        self.addCleanup(self._remove)
        self.agents = []

    def _remove(self):
        for agent in self.agents:
            if agent.process.poll() is None:
                agent.kill()
        result = self._outcome.result
        if any(test is self for test, _ in (*result.failures, *result.errors)):
            self._show_logs()
        if os.environ.get("KEEP"):
            print(f"kept: {self.dir}", file=sys.stderr)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def _show_logs(self):
        for agent in self.agents:
            if agent.log_path.exists():
                print(f"--- the end of {agent.log_path.name} of {self.id()}\n{agent.log()[-3000:]}", file=sys.stderr)

    def start(self, config, **more):
        agent = Agent(self.dir, config, **more)
        self.agents.append(agent)
        return agent

    def sink(self, port=0):
        from sink import Sink

        sink = Sink(port)
        self.addCleanup(sink.close)
        return sink

    def wait_complete(self, agent, sink, writer, timeout=60):
        """Until the sink has taken every number that the writer wrote. Gives the tally."""

        def complete():
            agent.check_running()
            if sink.taken_count() < writer.next - writer.first:
                return None
            tally = Tally(sink.taken())
            return None if tally.missing(writer) else tally

        def state():
            missing = Tally(sink.taken()).missing(writer)
            return f"{len(missing)} of {writer.next} missing, the first: {missing[:10]}"

        tally = wait_until(state, complete, timeout, pause=0.05)
        self.assertEqual(sink.errors, [])
        return tally


def write_lines(path, lines, mode="ab"):
    with open(path, mode) as file:
        file.write(b"".join(line.encode("utf-8", "surrogateescape") + b"\n" for line in lines))


def main():
    if not os.access(AGENT, os.X_OK):
        print(f"no agent to test at {AGENT}: build it, or set AGENT", file=sys.stderr)
        sys.exit(1)
    program = unittest.main(verbosity=2, exit=False, warnings="ignore")
    if not program.result.wasSuccessful():
        sys.exit(1)
    skipped = program.result.skipped
    # A class that is skipped as a whole counts as no test that ran.
    ran = program.result.testsRun - sum(isinstance(test, unittest.TestCase) for test, _ in skipped)
    if skipped and not ran:
        sys.exit(SKIPPED)
