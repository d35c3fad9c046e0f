"""Debian's rsyslog as a receiver of lines over plain TCP: started, killed and started again with what it has
written."""

import json
import os
import shutil
import signal
import subprocess
import unittest

from harness import free_port, wait_until

CONFIG = """
global(workDirectory="{directory}" maxMessageSize="4m" parser.escapeControlCharactersOnReceive="off")
module(load="{module}")
template(name="raw" type="string" string="%rawmsg%\\n")
ruleset(name="lines") {{ action(type="omfile" file="{file}" template="raw" {more}) }}
input(type="{module}" address="127.0.0.1" port="{port}" ruleset="lines" supportOctetCountedFraming="off")
"""


class Rsyslog:
    def __init__(self, directory, module="imtcp", more='flushOnTXEnd="on"'):
        self.binary = shutil.which("rsyslogd", path=os.environ["PATH"] + ":/usr/sbin")
        if not self.binary:
            if os.environ.get("AGENT_REQUIRE_SERVERS") == "1":
                raise AssertionError("rsyslogd is not there: tests/packages.sh test")
            raise unittest.SkipTest("rsyslogd is not there: tests/packages.sh test")
        self.directory = directory / "rsyslog"
        self.directory.mkdir()
        self.file = self.directory / "lines"
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.config = self.directory / "rsyslog.conf"
        self.config.write_text(
            CONFIG.format(directory=self.directory, module=module, file=self.file, port=self.port, more=more)
        )
        self.process = None

    def start(self):
        log = open(self.directory / "log", "ab")
        self.process = subprocess.Popen(
            [self.binary, "-n", "-f", str(self.config), "-i", str(self.directory / "pid")],
            stdout=log,
            stderr=log,
        )
        log.close()
        wait_until(lambda: (self.directory / "log").read_text(), self._listens)
        return self

    def _listens(self):
        if self.process.poll() is not None:
            raise AssertionError((self.directory / "log").read_text())
        port = f":{self.port:04X} "
        return any(port in line and " 0A " in line for line in open("/proc/net/tcp"))

    def lines(self):
        return self.file.read_bytes().splitlines() if self.file.exists() else []

    def count(self):
        return self.file.read_bytes().count(b"\n") if self.file.exists() else 0

    def messages(self):
        return [json.loads(line)["message"] for line in self.lines()]

    def stop(self):
        self._end(signal.SIGTERM)

    def kill(self):
        self._end(signal.SIGKILL)

    def _end(self, how):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(20)
