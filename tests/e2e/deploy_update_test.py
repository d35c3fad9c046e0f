#!/usr/bin/env python3
"""What happens to the agent's container on a node: a rolling update, a kill, two at once; the limits of deploy/ under full
load and through an outage. With the image of deploy/docker and a real Docker daemon."""

import collections
import json
import os
import re
import tarfile
import time
import unittest

import harness
from agent_image import GRANTED, READ_ONLY, daemon_with_image
from harness import ROOT, base_config, file_job, free_port, http_get, wait_until
from migrate_bed import Load, TrackedLog, cri
from sink import Sink, snappy_decode

IMAGE = "log-agent:update"
DOCUMENT = ROOT / "deploy/migrate.md"
UPDATES = 20 if harness.FULL else 3
_NUMBER = re.compile(rb"log=(\S+) seq=(\d{9})")


def decode_numbers(body):
    """Of a push, (log, number) of each line; all that these tests want to know, and quick."""
    return [(log.decode(), int(number)) for log, number in _NUMBER.findall(snappy_decode(body))]


class ContainerCase(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        if harness.SANITIZED:
            raise unittest.SkipTest("the image is for the agent as it is shipped")
        cls.daemon = daemon_with_image(IMAGE)
        cls.addClassCleanup(cls.daemon.close)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.daemon.remove_all)
        self.receiver = self.counting_sink()
        self.dir.chmod(0o755)
        self.pods = self.dir / "pods"
        self.pods.mkdir()
        self.state = self.dir / "state"
        self.state.mkdir()
        os.chown(self.state, 10001, 10001)
        self.port = free_port()
        self.count = 0

    def counting_sink(self, port=0):
        sink = Sink(port, decode=decode_numbers)
        self.addCleanup(sink.close)
        return sink

    def log(self, pod):
        return TrackedLog(self.pods / f"prod_{pod}_{pod}/main/0.log", cri, "{path}.20260101-{n:06d}")

    def run_pod(self, *options, urls=None, **more):
        """A pod of the DaemonSet: the state is a folder of the node. Gives its name."""
        self.count += 1
        name = f"pod{self.count}"
        job = file_job("/var/log/pods/*/*/*.log", "pods", [{"cri": {}}])
        config = base_config(self.dir, urls or self.receiver.url, [job], **more)
        config["server"]["http_listen_port"] = self.port
        config["positions"]["filename"] = "/var/lib/log-agent/positions.yaml"
        (self.dir / "agent.yaml").write_text(json.dumps(config))
        self.daemon.docker(
            "run", "--detach", "--name", name, "--network=host", *READ_ONLY, *GRANTED, *options,
            f"--volume={self.dir}/agent.yaml:/etc/log-agent/agent.yaml:ro", f"--volume={self.pods}:/var/log/pods:ro",
            f"--volume={self.state}:/var/lib/log-agent", IMAGE,
        )  # fmt: skip
        return name

    def inspect(self, name, what):
        return self.daemon.docker("inspect", "--format", what, name).stdout.strip()

    def said(self, name):
        both = self.daemon.docker("logs", name)
        return both.stdout + both.stderr

    def get(self, path, timeout=10):
        return http_get(f"http://127.0.0.1:{self.port}{path}", timeout=timeout)

    @staticmethod
    def missing(sink, logs):
        have = set(sink.taken())
        return [(log.name, n) for log in logs for n in range(log.next) if (log.name, n) not in have]

    def wait_all(self, sink, logs, name, timeout=60):
        total = sum(log.next for log in logs)
        wait_until(lambda: f"{len(self.missing(sink, logs))} of {total} missing\n{self.said(name)[-2000:]}",
                   lambda: sink.taken_count() >= total and not self.missing(sink, logs), timeout, pause=0.1)  # fmt: skip
        self.assertEqual(sink.errors, [])

    @staticmethod
    def repeats(sink):
        return sum(count - 1 for count in collections.Counter(sink.taken()).values())


class RollingUpdateTest(ContainerCase):
    """A new pod on the same folder of the node, while containers write and the kubelet rotates."""

    def setUp(self):
        super().setUp()
        self.logs = [self.log(pod) for pod in ("one", "two", "three")]
        for log in self.logs:
            log.write(1)
        self.pod = self.run_pod()
        self.wait_all(self.receiver, self.logs, self.pod)
        self.load = Load(self.logs)
        self.addCleanup(self.load.stop)

    def rotate(self):
        for log in self.logs:
            log.rotate()
            log.write(20)

    def wait_more(self):
        """It is at work: something that was written just now has come."""
        marks = {(log.name, log.next) for log in self.logs}
        wait_until(lambda: self.said(self.pod)[-2000:], lambda: marks <= set(self.receiver.taken()), pause=0.05)

    def check_end(self):
        self.load.stop()
        self.wait_all(self.receiver, self.logs, self.pod)

    def test_nothing_is_lost_or_repeated(self):
        for number in range(UPDATES):
            self.rotate()
            if number % 2:
                self.wait_more()
            # As the kubelet does: SIGTERM, terminationGracePeriodSeconds, and then the new one.
            self.daemon.docker("stop", "--time=30", self.pod)
            self.assertEqual(self.inspect(self.pod, "{{.State.ExitCode}}"), "0")
            self.rotate()
            self.pod = self.run_pod()
            self.wait_more()
        self.check_end()

        print(f"{UPDATES} updates, {sum(log.next for log in self.logs)} lines, {sum(log.segments for log in self.logs)} files")
        self.assertEqual(self.repeats(self.receiver), 0)

    def test_killed_it_repeats_at_most_what_was_in_flight(self):
        allowed = 0
        for _ in range(UPDATES):
            self.rotate()
            before = self.receiver.request_count()
            self.receiver.stall()
            wait_until("a request is on its way", lambda: self.receiver.request_count() > before)
            self.daemon.docker("kill", "--signal=KILL", self.pod)
            self.receiver.flow()
            with self.receiver.lock:
                allowed += len(self.receiver.pushes[-1].entries)
            self.rotate()
            self.pod = self.run_pod()
            self.wait_more()
        self.check_end()

        print(f"{UPDATES} kills: {self.repeats(self.receiver)} repeated of {allowed} in flight")
        self.assertLessEqual(self.repeats(self.receiver), allowed)

    def test_two_at_once_the_second_says_why_it_ends_and_takes_over_when_the_first_is_gone(self):
        """maxSurge=1, or a pod that was deleted by force and still runs."""
        first, self.port = self.pod, free_port()
        self.pod = self.run_pod("--restart=always")
        wait_until(lambda: self.said(self.pod), lambda: "another agent uses this positions file" in self.said(self.pod))
        self.assertNotEqual(self.inspect(first, "{{.State.Running}}"), "false")
        self.rotate()

        self.daemon.docker("stop", "--time=30", first)

        wait_until(lambda: self.said(self.pod)[-2000:], lambda: self.get("/ready")[0] == 200, 60)
        self.rotate()
        self.wait_more()
        self.check_end()
        self.assertEqual(self.repeats(self.receiver), 0)


class ComposeTakeoverTest(ContainerCase):
    """deploy/migrate.md, With Docker Compose: the same steps with `docker` in the place of `docker compose`."""

    def setUp(self):
        super().setUp()
        archive = self.dir / "promtail.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(harness.build_server("promtail"), "usr/bin/promtail")
            folder = tarfile.TarInfo("tmp")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(folder)
        self.daemon.docker("import", str(archive), "promtail:test")

    def steps(self):
        """The commands of the two blocks, there and back."""
        section = re.search(r"### With Docker Compose\n(.*?)\n### ", DOCUMENT.read_text(), re.S).group(1)
        blocks = re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)
        commands = [[line.split("#")[0].split() for line in block.splitlines()] for block in blocks]
        self.assertEqual([len(block) for block in commands], [5, 4])
        return commands

    def step(self, words):
        """One of them. The agent's container is made by `create`, as compose does from its file."""
        self.assertEqual(words[:2], ["docker", "compose"])
        words = words[2:]
        if words == ["create", "log-agent"]:
            self.daemon.docker("create", *self.agent_options, IMAGE)
            return
        words = [str(self.dir / word) if word == "positions.yaml" else word for word in words]
        self.daemon.docker(*words)

    def test_there_and_back(self):
        job = file_job("/var/log/pods/*/*/*.log", "pods", [{"cri": {}}])
        theirs = base_config(self.dir, self.receiver.url, [job])
        theirs["positions"]["filename"] = "/tmp/positions.yaml"
        (self.dir / "promtail.yaml").write_text(json.dumps(theirs))
        ours = base_config(self.dir, self.receiver.url, [job])
        ours["positions"]["filename"] = "/var/lib/log-agent/positions.yaml"
        (self.dir / "config.yml").write_text(json.dumps(ours))
        self.agent_options = [
            "--name=log-agent", "--network=host", *READ_ONLY, *GRANTED, f"--volume={self.dir}/config.yml:/etc/log-agent/agent.yaml:ro",
            "--volume=log-agent:/var/lib/log-agent", f"--volume={self.pods}:/var/log/pods:ro",
        ]  # fmt: skip
        logs = [self.log(pod) for pod in ("one", "two")]
        there, back = self.steps()

        self.daemon.docker("run", "--detach", "--name=promtail", "--network=host", f"--volume={self.dir}/promtail.yaml:/config.yml:ro",
                           f"--volume={self.pods}:/var/log/pods:ro", "promtail:test", "/usr/bin/promtail", "-config.file=/config.yml")  # fmt: skip
        for steps, name in (([], "promtail"), (there, "log-agent"), (back, "promtail")):
            for words in steps:
                self.step(words)
                for log in logs:
                    log.write(100)
            for log in logs:
                log.write(100)
            self.wait_all(self.receiver, logs, name)

        self.assertEqual(self.repeats(self.receiver), 0)


class LimitsTest(ContainerCase):
    """limits: {cpu: 100m, memory: 128Mi} of deploy/kubernetes, and half of that memory."""

    FILES = 60
    LINES = 25_000 if harness.FULL else 2_000  # In each.

    def cgroup(self, name):
        """{what: number} of the container's memory, as either version of cgroups tells it."""
        found = {}
        group = open(f"/proc/{self.inspect(name, '{{.State.Pid}}')}/cgroup").read()
        for line in group.splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "memory":
                base = f"/sys/fs/cgroup/memory{path}"
                found["limit"] = int(open(f"{base}/memory.limit_in_bytes").read())
                found["peak"] = int(open(f"{base}/memory.max_usage_in_bytes").read())
                events = open(f"{base}/memory.oom_control").read()
                found["oom_kill"] = int(re.search(r"^oom_kill (\d+)", events, re.M).group(1))
            elif controllers == "" and os.path.exists(f"/sys/fs/cgroup{path}/memory.events"):
                base = f"/sys/fs/cgroup{path}"
                found["limit"] = int(open(f"{base}/memory.max").read())
                found["oom_kill"] = int(re.search(r"^oom_kill (\d+)", open(f"{base}/memory.events").read(), re.M).group(1))
        if not found:
            self.skipTest("no cgroup with limits of memory here")
        return found

    def resident(self, name):
        status = open(f"/proc/{self.inspect(name, '{{.State.Pid}}')}/status").read()
        return int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.M).group(1)) << 10

    def fill(self):
        logs = [self.log(f"pod{n}") for n in range(self.FILES)]
        for log in logs:
            log.write(self.LINES)
        return logs

    def through_an_outage(self, memory, *options, timeout=300):
        """All files at once, to one receiver that takes them and one that is dead, so that everything goes to the disk for it;
        then that one comes back."""
        logs = self.fill()
        late = free_port()
        urls = [self.receiver.url, f"http://127.0.0.1:{late}/loki/api/v1/push"]
        name = self.run_pod(f"--memory={memory}", f"--memory-swap={memory}", *options, urls=urls)
        slowest = 0.0

        def answers():
            nonlocal slowest
            begin = time.monotonic()
            status, text = self.get("/loglevel")
            slowest = max(slowest, time.monotonic() - begin)
            self.assertEqual(self.inspect(name, "{{.State.Running}}"), "true", self.said(name)[-2000:])
            return status == 200 and text

        wait_until("it answers", answers, 60)
        slowest = 0.0
        total = sum(log.next for log in logs)
        # As the liveness probe does, meanwhile.
        wait_until(lambda: f"{self.receiver.taken_count()} of {total}",
                   lambda: answers() and self.receiver.taken_count() >= total, timeout, pause=0.2)  # fmt: skip
        spooled = lambda: harness.Metrics(self.get("/metrics")[1]).sum("agent_buffer_spooled_entries_total")
        wait_until(lambda: f"{spooled()} of {total} in the disk buffer", lambda: spooled() >= total, timeout, pause=0.2)

        back = self.counting_sink(late)
        wait_until(lambda: f"{back.taken_count()} of {total}", lambda: answers() and back.taken_count() >= total, timeout, pause=0.2)

        memory_now, resident = self.cgroup(name), self.resident(name)
        print(f"{memory} {' '.join(options)}: {total} lines of {self.FILES} files to two receivers, RSS at most {resident >> 20} MiB, "
              f"slowest answer {slowest:.2f} s, {memory_now}")  # fmt: skip
        self.assertEqual(memory_now["oom_kill"], 0)
        self.assertEqual(self.inspect(name, "{{.State.OOMKilled}}"), "false")
        self.assertEqual(self.inspect(name, "{{.RestartCount}}"), "0")
        self.assertLess(slowest, 10)  # The probe's timeout.
        for sink in (self.receiver, back):
            self.assertEqual(self.missing(sink, logs), [])
            self.assertEqual(self.repeats(sink), 0)
        self.daemon.docker("stop", "--time=30", name)
        self.assertEqual(self.inspect(name, "{{.State.ExitCode}}"), "0")

    @unittest.skipUnless(harness.FULL, "a tenth of a CPU is the harder case: only with --full")
    def test_128_mib(self):
        self.through_an_outage("128m")

    def test_64_mib(self):
        self.through_an_outage("64m")

    def test_128_mib_and_a_tenth_of_a_cpu(self):
        self.through_an_outage("128m", "--cpus=0.1")


if __name__ == "__main__":
    harness.main()
