#!/usr/bin/env python3
"""The image of deploy/docker, built and run by a real Docker daemon: small, without a shell, not root, and still able to read
every log where the container is granted that. Its base is a Debian made here, since none can be pulled."""

import json
import os
import shutil
import subprocess
import unittest

import harness
from agent_image import GRANTED, READ_ONLY, daemon_with_image
from harness import AGENT, ROOT, base_config, file_job, free_port, wait_until, write_lines

IMAGE = "log-agent:test"


class DeployDockerTest(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        if harness.SANITIZED:
            raise unittest.SkipTest("the image is for the agent as it is shipped")
        cls.daemon = daemon_with_image(IMAGE)
        cls.addClassCleanup(cls.daemon.close)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.daemon.remove_all)
        self.receiver = self.sink()
        self.logs = self.dir / "logs"
        self.state = self.dir / "state"
        self.logs.mkdir()
        self.state.mkdir()
        os.chown(self.state, 10001, 10001)
        self.dir.chmod(0o755)
        write_lines(self.logs / "open.log", ["everybody may read this"])
        write_lines(self.logs / "root.log", ["only root may read this"])
        (self.logs / "root.log").chmod(0o600)
        self.port = free_port()

    def run_agent(self, *options, jobs=None, name="agent"):
        config = base_config(self.dir, self.receiver.url, [file_job("/var/log/test/*.log")] if jobs is None else jobs)
        config["server"]["http_listen_port"] = self.port
        config["positions"]["filename"] = "/var/lib/log-agent/positions.yaml"
        (self.dir / "agent.yaml").write_text(json.dumps(config))
        self.daemon.docker(
            "run", "--detach", "--name", name, "--network=host", *READ_ONLY, *options,
            f"--volume={self.dir}/agent.yaml:/etc/log-agent/agent.yaml:ro", f"--volume={self.logs}:/var/log/test:ro",
            f"--volume={self.state}:/var/lib/log-agent", f"--env=LOG_AGENT_READY=http://127.0.0.1:{self.port}/ready", IMAGE,
        )  # fmt: skip

    def log(self, name="agent"):
        both = self.daemon.docker("logs", name)
        return both.stdout + both.stderr

    def lines(self):
        return sorted(entry.line for entry in self.receiver.taken())

    def inspect(self, what, name="agent"):
        return self.daemon.docker("inspect", "--format", what, name).stdout.strip()

    def test_the_image_is_small_and_has_no_shell(self):
        image = json.loads(self.daemon.docker("image", "inspect", IMAGE).stdout)[0]
        self.assertLess(image["Size"], 64 << 20)
        self.assertEqual(image["Config"]["User"], "10001:10001")
        for shell in ("/bin/sh", "/bin/bash", "/usr/bin/dash"):
            result = self.daemon.docker("run", "--rm", "--network=none", f"--entrypoint={shell}", IMAGE, check=False)
            self.assertEqual(result.returncode, 127, result.stderr)
        version = self.daemon.docker("run", "--rm", "--network=none", *READ_ONLY, *GRANTED, IMAGE, "-version").stdout
        self.assertRegex(version, r"\d+\.\d+\.\d+")

    def test_it_reads_what_only_root_may_read_and_is_healthy(self):
        self.run_agent(*GRANTED)

        wanted = ["everybody may read this", "only root may read this"]
        wait_until(self.log, lambda: self.lines() == wanted)
        wait_until(self.log, lambda: self.inspect("{{.State.Health.Status}}") == "healthy", 60)
        status = self.daemon.docker("top", "agent", "-o", "uid,pid,comm").stdout
        self.assertRegex(status, r"10001\s+\d+\s+agent")
        self.assertNotIn("CAP_DAC_READ_SEARCH", self.log())

        # Stopped, it ends by itself; started again, it goes on where it was.
        self.daemon.docker("stop", "--time=15", "agent")
        self.assertEqual(self.inspect("{{.State.ExitCode}}"), "0")
        self.daemon.docker("start", "agent")
        write_lines(self.logs / "root.log", ["later"])
        wait_until(self.log, lambda: "later" in self.lines())
        self.assertEqual(self.lines(), sorted([*wanted, "later"]))

    def test_without_the_right_it_runs_and_says_what_is_missing(self):
        for name, options in (("none", ()), ("no-new", (*GRANTED, "--security-opt=no-new-privileges"))):
            with self.subTest(name):
                self.run_agent(*options, name=name)
                wait_until(lambda: self.log(name), lambda: "everybody may read this" in self.lines())
                self.assertIn("no CAP_DAC_READ_SEARCH", self.log(name))
                targets = lambda: harness.http_get(f"http://127.0.0.1:{self.port}/targets?format=json")[1]
                wait_until(targets, lambda: "ermission denied" in targets())
                self.assertNotIn("only root may read this", self.lines())
                self.daemon.docker("rm", "--force", name)

    def test_beside_dockers_socket_it_reads_the_containers_of_the_host(self):
        """With the rights of deploy/compose: the socket's group, and the one capability."""
        discovery = {"host": "unix:///var/run/docker.sock", "filters": [{"name": "label", "values": ["logging=promtail"]}]}
        relabel = [{"source_labels": ["__meta_docker_container_name"], "regex": "/(.*)", "target_label": "container"}]
        job = {"job_name": "containers", "docker_sd_configs": [discovery], "relabel_configs": relabel}
        containers = self.daemon.dir / "root/containers"
        self.run_agent(*GRANTED, f"--group-add={self.daemon.socket.stat().st_gid}",
                       f"--volume={self.daemon.socket}:/var/run/docker.sock:ro",
                       f"--volume={containers}:{containers}:ro", jobs=[job])  # fmt: skip
        self.daemon.run_detached("wanted", "echo from a container; sleep 1000", "--label=logging=promtail")

        wait_until(self.log, lambda: self.lines() == ["from a container"])
        self.assertEqual(self.receiver.taken()[0].labels["container"], "wanted")
        # From its file, not through the API.
        self.assertEqual(harness.Metrics(harness.http_get(f"http://127.0.0.1:{self.port}/metrics")[1])
                         .sum("promtail_docker_target_entries_total"), 0)  # fmt: skip

    def test_as_root_with_one_capability(self):
        os.chown(self.state, 0, 0)

        self.run_agent("--user=0:0", *GRANTED)

        wait_until(self.log, lambda: "only root may read this" in self.lines())

    def test_it_is_not_healthy_before_it_follows_something(self):
        self.run_agent(*GRANTED, jobs=[file_job("/var/log/nothing/*.log")])

        ready = lambda *more: self.daemon.docker("exec", "agent", "/usr/bin/agent", "ready", *more, check=False)
        wait_until(self.log, lambda: "Not ready" in ready().stdout)
        self.assertEqual(ready().returncode, 1)
        self.assertEqual(ready(f"http://127.0.0.1:{self.port}/loglevel").returncode, 0)
        self.assertIn("connect", ready("http://127.0.0.1:1/ready").stderr)
        self.assertIn("expected http://", ready("127.0.0.1:9080").stderr)


# What CMake leaves behind: the program among the folders of its parts, one of which has its name.
COMPILES = """#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in -B | --build) mkdir -p "$2/agent" "$2/bin" && cp "$AGENT" "$2/bin/agent" ;; esac
  shift
done
"""


class CompiledImageTest(harness.TestCase):
    def test_what_is_compiled_in_the_build_is_what_the_image_has(self):
        sources = self.dir / "src"
        for part in ("deploy/docker", "tests"):
            shutil.copytree(ROOT / part, sources / part, ignore=shutil.ignore_patterns("e2e", "data"))
        tools = self.dir / "tools"
        tools.mkdir()
        (tools / "cmake").write_text(COMPILES)
        (tools / "cmake").chmod(0o755)
        environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "AGENT": str(AGENT)}
        made = subprocess.run([sources / "deploy/docker/rootfs.sh", self.dir / "rootfs"], env=environment, capture_output=True,
                              text=True, check=False)  # fmt: skip
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        for program in ("agent", "launch"):
            path = self.dir / "rootfs/usr/bin" / program
            self.assertTrue(path.is_file() and os.access(path, os.X_OK), path)
        version = subprocess.run([self.dir / "rootfs/usr/bin/agent", "-version"], capture_output=True, text=True, check=True)
        self.assertIn("agent, version", version.stdout)


if __name__ == "__main__":
    harness.main()
