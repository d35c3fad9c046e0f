"""A Docker daemon of the test's own: on a socket of its own, with nothing shared with another one of the machine.
Needs root, Debian's docker.io and busybox-static, and a kernel that lets containers run."""

import os
import pathlib
import shutil
import signal
import subprocess
import tarfile
import tempfile
import unittest

from harness import free_port, wait_until

IMAGE = "log-agent-test"
APPLETS = ("sh", "echo", "printf", "sleep", "seq", "head", "tr", "cat", "yes", "usleep")


def unavailable(reason):
    if os.environ.get("AGENT_REQUIRE_SERVERS") == "1":
        raise AssertionError(reason)
    raise unittest.SkipTest(reason)


class Dockerd:
    """`tls`: a folder with ca.pem, cert.pem and key.pem: it listens on a TCP port as well, for who shows a
    certificate of that authority; `port` is that. `storage`: overlay2 builds images many times as fast, where the
    file system lets it."""

    def __init__(self, tls=None, storage="vfs"):
        self.storage = storage
        binary = shutil.which("dockerd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        busybox = pathlib.Path("/bin/busybox")
        if os.geteuid() != 0:
            unavailable("a Docker daemon needs root")
        if binary is None or not busybox.exists():
            unavailable("no Docker daemon here: install docker.io and busybox-static")
        self.binary = binary
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="log-agent-dockerd-"))
        self.socket = self.dir / "docker.sock"
        self.host = f"unix://{self.socket}"
        self.log_path = self.dir / "dockerd.log"
        self.port = free_port() if tls else None
        self.tls = []
        if tls:
            self.tls = [f"--host=tcp://127.0.0.1:{self.port}", "--tlsverify", f"--tlscacert={tls}/ca.pem"]
            self.tls += [f"--tlscert={tls}/cert.pem", f"--tlskey={tls}/key.pem"]
        self.process = None
        try:
            self.start()
            self._import_image(busybox)
            self.run("true-container", "echo works")
        except (AssertionError, subprocess.SubprocessError) as error:
            log = self.log_path.read_text(errors="replace")[-1500:] if self.log_path.exists() else ""
            self.close()
            unavailable(f"no container runs here: {error} {log}")
        self.docker("rm", "-f", "true-container")

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [
                    self.binary,
                    f"--data-root={self.dir}/root",
                    f"--exec-root={self.dir}/exec",
                    f"--pidfile={self.dir}/pid",
                    f"--host={self.host}",
                    "--iptables=false",
                    "--ip6tables=false",
                    "--bridge=none",
                    f"--storage-driver={self.storage}",
                    *self.tls,
                ],
                stdout=log,
                stderr=log,
            )

        def answers():
            if self.process.poll() is not None:
                raise AssertionError(f"dockerd ended, exit code {self.process.returncode}")
            return self.docker("version", check=False).returncode == 0

        wait_until("dockerd answers", answers, timeout=60, pause=0.1)

    def stop(self):
        """As an operator does; its containers end with it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)

    def close(self):
        self.stop()
        for line in reversed(pathlib.Path("/proc/mounts").read_text().splitlines()):
            point = line.split()[1]
            if point.startswith(str(self.dir)):
                subprocess.run(["umount", "-l", point], check=False, capture_output=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def docker(self, *args, check=True, timeout=120):
        environment = {**os.environ, "DOCKER_HOST": self.host}
        return subprocess.run(
            ["docker", *args], env=environment, check=check, capture_output=True, text=True, timeout=timeout
        )

    def run(self, name, script, *options):
        """`docker run --name NAME`, to the end of its script."""
        return self.docker("run", "--name", name, "--network=none", *options, IMAGE, "sh", "-c", script)

    def run_detached(self, name, script, *options):
        return self.run(name, script, "--detach", *options).stdout.strip()

    def remove_all(self):
        ids = self.docker("ps", "--all", "--quiet").stdout.split()
        if ids:
            self.docker("rm", "--force", *ids)

    def _import_image(self, busybox):
        tree = self.dir / "image"
        (tree / "bin").mkdir(parents=True)
        shutil.copy(busybox, tree / "bin/busybox")
        for applet in APPLETS:
            (tree / "bin" / applet).symlink_to("busybox")
        archive = self.dir / "image.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(tree, arcname=".")
        self.docker("import", str(archive), IMAGE)
