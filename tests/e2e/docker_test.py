#!/usr/bin/env python3
"""docker_sd_configs against a real Docker daemon: which containers are found, what is read of them, under which
labels, and that nothing is lost or repeated whatever becomes of them."""

import collections
import concurrent.futures
import json
import signal

import harness
from dockerd import Dockerd
from harness import base_config, wait_until

# A container of the burst lives for less than a sanitized agent may take to hear of it.
BURST = 500 if harness.FULL else 5 if harness.SANITIZED else 100

# As people write it: the name without its slash, the service of compose, the stream.
RELABEL = [
    {"source_labels": ["__meta_docker_container_name"], "regex": "/(.*)", "target_label": "container"},
    {"source_labels": ["__meta_docker_container_log_stream"], "target_label": "stream"},
    {"source_labels": ["__meta_docker_container_label_com_docker_compose_service"], "target_label": "service"},
]


class DockerTest(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Dockerd()
        cls.addClassCleanup(cls.daemon.close)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.daemon.remove_all)
        self.receiver = self.sink()

    def config(self, relabel=None, stages=None, **docker):
        job = {
            "job_name": "containers",
            "docker_sd_configs": [{"host": self.daemon.host, "refresh_interval": "5s", **docker}],
            "relabel_configs": RELABEL if relabel is None else relabel,
            "pipeline_stages": stages or [],
        }
        return base_config(self.dir, self.receiver.url, [job])

    def start_agent(self, **more):
        """The agent, once it has talked to the daemon."""
        agent = self.start(self.config(**more))
        self.wait_listening(agent)
        return agent

    def wait_listening(self, agent):
        """Until it reads a container that is made for that."""
        self.probes = getattr(self, "probes", 0) + 1
        name = f"probe{self.probes}"
        options = ("--label", "logging=promtail")

        def found():
            agent.check_running()
            self.daemon.docker("rm", "--force", name, check=False)
            self.daemon.run(name, "echo probe", *options)
            return self.lines(name)

        wait_until("the first container is read", found, timeout=60, pause=0.3)

    def entries(self, container):
        return [entry for entry in self.receiver.taken() if entry.labels.get("container") == container]

    def lines(self, container, stream=None):
        return [
            entry.line for entry in self.entries(container) if stream is None or entry.labels.get("stream") == stream
        ]

    def wait_lines(self, container, wanted, stream=None, timeout=30):
        wait_until(
            lambda: f"{container}: {self.lines(container, stream)[:20]} instead of {wanted[:20]}",
            lambda: len(self.lines(container, stream)) >= len(wanted),
            timeout,
        )
        self.assertEqual(self.lines(container, stream), wanted)

    def test_a_burst_of_containers_that_vanish_is_read_whole(self):
        agent = self.start_agent()
        names = [f"burst{n}" for n in range(BURST)]

        def run(name):
            self.daemon.run(name, "echo one; echo two >&2; echo three", "--rm")

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(run, names))

        def missing():
            have = collections.Counter(entry.labels.get("container") for entry in self.receiver.taken())
            return {name: have[name] for name in names if have[name] < 3}

        wait_until(lambda: f"missing: {missing()}", lambda: not missing(), timeout=60)
        for name in names:
            self.assertEqual(self.lines(name, "stdout"), ["one", "three"], name)
            self.assertEqual(self.lines(name, "stderr"), ["two"], name)
        agent.check_running()

    def test_entries_are_those_of_the_api(self):
        self.start_agent()
        self.daemon.run(
            "plain",
            "echo out; echo err >&2; echo; printf 'cr\\r\\n'; head -c 40000 /dev/zero | tr '\\0' x; echo; printf 'no end'",
            "--label=com.docker.compose.service=web",
        )
        self.daemon.run("terminal", "echo line; echo err >&2", "--tty")

        long = "x" * 40000
        self.wait_lines("plain", ["out", "", "cr", long, "no end"], "stdout")
        self.wait_lines("plain", ["err"], "stderr")
        self.wait_lines("terminal", ["line", "err"], "stdout")
        for entry in self.entries("plain"):
            self.assertEqual(
                entry.labels, {"container": "plain", "service": "web", "stream": entry.labels["stream"]}
            )
        # The times are the daemon's, as its API tells them.
        logs = self.daemon.docker("logs", "--timestamps", "plain").stdout.splitlines()
        first = logs[0].split(" ")[0]
        self.assertTrue(first.startswith("20"))
        stamp = next(entry.ts for entry in self.entries("plain") if entry.line == "out")
        self.assertEqual(int(first[:-1].split(".")[1].ljust(9, "0")), stamp % 10**9)

    def test_filters_and_hostile_labels(self):
        relabel = RELABEL + [
            {"action": "labelmap", "regex": "__meta_docker_container_label_(own_.+)"},
            {"source_labels": ["__meta_docker_container_log_stream"], "regex": "stderr", "action": "drop"},
            {"source_labels": ["__meta_docker_network_name"], "target_label": "network"},
            {"source_labels": ["__address__"], "target_label": "address"},
        ]
        self.start_agent(relabel=relabel, filters=[{"name": "label", "values": ["logging=promtail"]}])
        odd = 'two\nlines "quoted" \\ {}=, \u00e4\U0001f600'
        self.daemon.run("unwanted", "echo no")
        self.daemon.run(
            "wanted",
            "echo yes; echo dropped >&2",
            "--label=logging=promtail",
            "--label", f"own.odd/name-\u00e4={odd}",
            "--label", "own.long=" + "v" * 300,
        )

        self.wait_lines("wanted", ["yes"])
        labels = self.entries("wanted")[0].labels
        self.assertEqual(labels["own_odd_name__"], odd)
        self.assertEqual(labels["own_long"], "v" * 300)
        self.assertEqual(labels["network"], "none")
        self.assertEqual(labels["address"], ":80")
        self.assertEqual(self.lines("unwanted"), [])

    def test_restart_rename_and_a_restart_of_the_agent(self):
        agent = self.start_agent()
        script = "echo begin; while ! [ -e /stop ]; do sleep 0.05; done; echo end"
        self.daemon.run_detached("worker", script)
        self.wait_lines("worker", ["begin"])

        self.daemon.docker("restart", "--time=0", "worker")
        self.wait_lines("worker", ["begin", "begin"])
        self.daemon.docker("rename", "worker", "renamed")
        self.daemon.docker("restart", "--time=0", "renamed")
        self.wait_lines("renamed", ["begin"])

        code, _ = agent.stop()
        self.assertEqual(code, 0)
        self.daemon.docker("restart", "--time=0", "renamed")
        self.daemon.docker("stop", "--time=0", "renamed")
        # It has ended while nobody looked: it is read all the same.
        self.start(self.config(), name="second")
        self.wait_lines("renamed", ["begin", "begin"])
        self.daemon.docker("start", "renamed")
        self.wait_lines("renamed", ["begin"] * 3)
        self.assertEqual(self.lines("worker"), ["begin"] * 2)

    def test_rotation_by_the_daemon(self):
        self.start_agent()
        pieces, each = 30, 100
        script = f"for p in $(seq 1 {pieces}); do for l in $(seq 1 {each}); do echo $p.$l {'.' * 60}; done; usleep 50000; done"
        options = ("--log-opt=max-size=60k", "--log-opt=max-file=3", "--log-opt=compress=true")
        container = self.daemon.run("rotated", script, "--detach", *options).stdout.strip()

        wanted = [f"{p}.{l} {'.' * 60}" for p in range(1, pieces + 1) for l in range(1, each + 1)]
        self.wait_lines("rotated", wanted, timeout=60)
        folder = self.daemon.dir / "root/containers" / container
        self.assertTrue(list(folder.glob("*-json.log.*")), "it was never rotated")

    def test_the_daemon_is_restarted(self):
        agent = self.start_agent()
        self.addCleanup(lambda: self.daemon.process.poll() is None or self.daemon.start())
        self.daemon.run_detached("before", "echo before; sleep 1000")
        self.wait_lines("before", ["before"])
        self.daemon.stop()
        wait_until("the loss is told", lambda: "Docker does not answer" in agent.log())
        wait_until(
            "it is counted", lambda: agent.metrics().sum("agent_discovery_failures_total", kind="docker") > 0
        )
        self.daemon.start()
        wait_until("it goes on", lambda: "Docker answers again" in agent.log(), timeout=60)
        self.daemon.run("after", "echo after")
        self.wait_lines("after", ["after"])
        self.assertEqual(self.lines("before"), ["before"])

    def test_a_daemon_that_is_not_there_yet(self):
        socket = self.dir / "later.sock"
        agent = self.start(self.config(host=f"unix://{socket}"))
        wait_until("it says why it is not ready", lambda: str(socket) in agent.get("/ready")[1])
        self.assertEqual(agent.get("/ready")[0], 503)
        socket.symlink_to(self.daemon.socket)
        self.wait_listening(agent)
        self.assertEqual(agent.get("/ready")[0], 200)

    # --- Through the API.

    def test_logs_that_are_no_files_are_read_through_the_api(self):
        agent = self.start_agent()
        local = ("--log-driver=local",)
        self.daemon.run(
            "plain",
            "echo out; echo err >&2; echo; printf 'cr\\r\\n'; head -c 40000 /dev/zero | tr '\\0' x; echo; printf 'no end'",
            *local,
        )
        self.daemon.run("terminal", "echo line; head -c 40000 /dev/zero | tr '\\0' y; echo; echo err >&2", "--tty", *local)

        self.wait_lines("plain", ["out", "", "cr", "x" * 40000, "no end"], "stdout")
        self.wait_lines("plain", ["err"], "stderr")
        self.wait_lines("terminal", ["line", "y" * 40000, "err"], "stdout")
        for entry in self.entries("plain"):
            self.assertEqual(entry.labels, {"container": "plain", "stream": entry.labels["stream"]})
        metrics = agent.metrics()
        self.assertGreater(metrics.sum("promtail_docker_target_entries_total"), 8)
        self.assertEqual(metrics.sum("promtail_docker_target_parsing_errors_total"), 0)

    def test_the_cursor_neither_repeats_nor_loses(self):
        # Nothing of the host's files is to be seen here.
        config = self.config(log_path_prefix=str(self.dir))
        agent = self.start(config, name="first")
        self.wait_listening(agent)
        script = "n=0; while [ $n -lt 3000 ]; do n=$((n+1)); echo $n; echo e$n >&2; [ $((n % 100)) = 0 ] && usleep 100000; done"
        container = self.daemon.run_detached("counting", script)
        wait_until("it is under way", lambda: len(self.lines("counting")) > 500)
        code, _ = agent.stop()
        self.assertEqual(code, 0)
        positions = (self.dir / "positions.yaml").read_text()
        self.assertRegex(positions, f'cursor-{container}: "[0-9]+"')

        agent = self.start(config, name="second")
        wait_until("it goes on", lambda: len(self.lines("counting")) > 2000, timeout=60)
        config["target_config"]["sync_period"] = "2s"
        agent.write_config(config)
        agent.process.send_signal(signal.SIGHUP)
        wait_until("it is reloaded", lambda: "the configuration is loaded" in agent.log())
        numbers = [str(n) for n in range(1, 3001)]
        self.wait_lines("counting", numbers, "stdout", timeout=60)
        self.wait_lines("counting", ["e" + n for n in numbers], "stderr", timeout=60)

    def test_a_container_read_through_the_api_restarts_and_is_renamed(self):
        self.start_agent()
        self.daemon.run_detached("worker", "echo begin; sleep 1000", "--log-driver=local")
        self.wait_lines("worker", ["begin"])
        self.daemon.docker("restart", "--time=0", "worker")
        self.wait_lines("worker", ["begin", "begin"])
        self.daemon.docker("rename", "worker", "renamed")
        self.daemon.docker("restart", "--time=0", "renamed")
        self.wait_lines("renamed", ["begin"])
        self.assertEqual(self.lines("worker"), ["begin"] * 2)

    def start_as_written(self, path, state):
        """Somebody's configuration, word for word but for where things are. `state`: its folder for positions."""
        text = (harness.ROOT / path).read_text()
        port = harness.free_port()
        for theirs, here in (
            (state, f"{self.dir}/"),  # The first: others have it in them.
            ("unix:///var/run/docker.sock", self.daemon.host),
            ("http://loki:3100/loki/api/v1/push", self.receiver.url),
            ("9080", str(port)),
        ):
            self.assertIn(theirs, text)
            text = text.replace(theirs, here)
        agent = self.start(text)
        agent.port = port
        return agent

    def test_a_platform_s_configuration_for_promtail_runs_as_it_is(self):
        agent = self.start_as_written("tests/agent/config/requirements/platform.yaml", "/tmp/")
        self.wait_listening(agent)
        line = '{"level": "info", "timestamp": "2026-05-04T09:12:03Z", "model_name": "resnet", "gpu_id": 3, "message": "m"}'
        self.daemon.run("trainer", f"echo '{line}'", "--label=com.docker.compose.service=train")
        self.wait_lines("trainer", [line])
        (entry,) = self.entries("trainer")
        want = {"container": "trainer", "stream": "stdout", "service": "train", "level": "info"}
        self.assertEqual(entry.labels, {**want, "model_name": "resnet", "gpu_id": "3"})
        self.assertEqual(entry.ts, 1777885923 * 10**9)

    def test_a_full_stack_s_configuration_for_promtail_runs_as_it_is(self):
        agent = self.start_as_written("tests/agent/config/requirements/full_stack.yaml", "/tmp/")
        self.wait_listening(agent)
        line = (
            '{"time": "2026-05-04T09:12:03.5Z", "level": "error", "event": "e", "message": "by a.b@example.org", '
            '"user_id": "u1", "latency_ms": 0.3, "status_code": 500, "method": "GET"}'
        )
        options = ("--label=logging=promtail", "--label=environment=lab", "--label=com.docker.compose.service=api")
        self.daemon.run("gateway", f"echo '{line}'; echo '{line}' >&2", *options)
        self.daemon.run("not-wanted", f"echo '{line}'")
        # As in Promtail, it is the group that is replaced, and not the match.
        shown = line.replace("a.b@example.org", "***REDACTED_EMAIL***").replace("u1", '"user_id":"***REDACTED***"')
        self.wait_lines("gateway", [shown], stream="stdout")
        self.wait_lines("gateway", [shown], stream="stderr")
        labels = self.entries("gateway")[0].labels
        want = {"container": "gateway", "service": "api", "environment": "lab", "level": "error", "event": "e"}
        want |= {"status_code": "500", "method": "GET"}
        self.assertEqual({name: labels.get(name) for name in want}, want)
        self.assertEqual(self.lines("not-wanted"), [])
        self.assertEqual(agent.metrics().sum("promtail_custom_log_errors_total"), 2)

    def test_the_example_works(self):
        agent = self.start_as_written("examples/docker/agent.yaml", "/var/lib/log-agent")
        self.wait_listening(agent)
        line = '{"level": "warn", "trace_id": "abc", "time": "2026-05-04T09:12:03.5Z", "message": "hi"}'
        self.daemon.run("app", f"echo '{line}'", "--label=logging=promtail", "--label=environment=test")
        self.wait_lines("app", [line])
        entry = self.entries("app")[0]
        self.assertEqual(
            entry.labels, {"container": "app", "environment": "test", "level": "warn", "stream": "stdout"}
        )
        self.assertEqual(entry.meta, {"trace_id": "abc"})

    def test_pages_positions_and_metrics(self):
        agent = self.start_agent()
        self.daemon.run_detached("shown", "echo hello; sleep 1000", "--log-driver=json-file")
        self.wait_lines("shown", ["hello"])
        status, text = agent.get("/targets?format=json")
        self.assertEqual(status, 200)
        targets = [t for job in json.loads(text)["jobs"] for t in job["targets"] if t["labels"]["container"] == "shown"]
        self.assertEqual(len(targets), 1)
        self.assertTrue(targets[0]["ready"])
        self.assertEqual(targets[0]["discovered_labels"]["__meta_docker_container_name"], "/shown")
        self.assertEqual(len(targets[0]["files"]), 1)
        positions = self.dir / "positions.yaml"
        wait_until("the position is kept", lambda: positions.exists() and "-json.log" in positions.read_text())
        metrics = agent.metrics()
        self.assertGreater(metrics.sum("agent_stage_lines_total", stage="docker_sd", direction="in"), 0)


if __name__ == "__main__":
    harness.main()
