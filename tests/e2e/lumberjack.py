"""The reference server of the lumberjack protocol as a process on loopback. It writes each window down before
it acknowledges it, can acknowledge late or not at all, and ends connections when told."""

import json
import subprocess

from harness import build_server, free_port


class Lumberjack:
    """Runs from start() to kill(). certificate: (cert, key) files for TLS; client_authority: file, client
    certificates are demanded. keepalive: seconds between acknowledgements of nothing while a window waits."""

    def __init__(self, directory, certificate=None, client_authority=None, keepalive=3.0, name="lumberjack"):
        self._binary = build_server("lumberjack")
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.output = directory / f"{name}.ndjson"
        self.log_path = directory / f"{name}.log"
        self._arguments = ["-listen", self.address, "-output", str(self.output), "-keepalive", f"{keepalive}s"]
        if certificate:
            self._arguments += ["-cert", str(certificate[0]), "-key", str(certificate[1])]
        if client_authority:
            self._arguments += ["-client-ca", str(client_authority)]
        self.process = None

    def start(self):
        """Starts it, or starts it again on the same port; what it received stays."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self._binary, *self._arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        first = self.process.stdout.readline()
        if not first.startswith("listening"):
            raise AssertionError(f"the lumberjack server ended: {self.log_path.read_text()[-2000:]}")
        return self

    def _tell(self, command):
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        if self.process.stdout.readline() != "ok\n":
            raise AssertionError(f"{command}: the lumberjack server ended\n{self.log_path.read_text()[-2000:]}")

    def delay(self, seconds):
        """From now on each window is acknowledged that much later."""
        self._tell(f"delay {seconds}s")

    def hold(self):
        """Windows are taken and not acknowledged, until release(); keep-alives are sent."""
        self._tell("hold")

    def release(self):
        self._tell("release")

    def close_connections(self):
        self._tell("close")

    def reset_connections(self):
        self._tell("reset")

    def received(self):
        """[{"peer", "subject", "window", "event"}] in the order in which they came, acknowledged or not."""
        if not self.output.exists():
            return []
        text = self.output.read_bytes()
        return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]

    def events(self):
        return [line["event"] for line in self.received()]

    def count(self):
        return self.output.read_bytes().count(b"\n") if self.output.exists() else 0

    def windows(self):
        """The events of each window, as lists."""
        windows = {}
        for line in self.received():
            windows.setdefault(line["window"], []).append(line["event"])
        return list(windows.values())

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    stop = kill
