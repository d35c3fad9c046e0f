"""Journals of systemd's, written by systemd's own journal-remote: `Journal` is a directory with one file that is
written to."""

import os
import pathlib
import shutil
import struct
import subprocess
import time
import unittest

from harness import wait_until

WRITER = "/lib/systemd/systemd-journal-remote"
BOOT = "0123456789abcdef0123456789abcdef"


def require_writer():
    if os.access(WRITER, os.X_OK) and shutil.which("journalctl"):
        return
    if os.environ.get("AGENT_REQUIRE_SERVERS") == "1":
        raise AssertionError("systemd-journal-remote is not installed")
    raise unittest.SkipTest("systemd-journal-remote is not installed: tests/packages.sh test")


def now_us():
    return time.time_ns() // 1000


def exported(fields, time_us):
    """An entry in the format of `journalctl -o export`. `fields`: a dict, or pairs where a name comes twice."""
    pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
    out = [
        f"__REALTIME_TIMESTAMP={time_us}\n__MONOTONIC_TIMESTAMP={time_us % 10**12}\n_BOOT_ID={BOOT}\n".encode()
    ]
    for name, value in pairs:
        value = value if isinstance(value, bytes) else str(value).encode()
        plain = all(byte >= 0x20 or byte == 0x09 for byte in value) and b"\xff" not in value
        if plain:
            out.append(name.encode() + b"=" + value + b"\n")
        else:
            out.append(name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n")
    return b"".join(out) + b"\n"


class Journal:
    def __init__(self, directory, name="system"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.path = self.directory / f"{name}.journal"
        self._writer = None
        self._last = 0
        self._archived = 0

    def write(self, *entries, at=None):
        """Appends; a writer of its own for each call would cost seconds, so one is kept. `entries`: dicts or pairs of
        fields, or texts for MESSAGE alone. `at`: the time of the first, in microseconds."""
        if self._writer is None:
            self._writer = subprocess.Popen(
                [WRITER, f"--output={self.path}", "--split-mode=none", "-"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        time_us = at if at is not None else max(now_us(), self._last + 1)
        data = bytearray()
        for entry in entries:
            data += exported(entry if not isinstance(entry, str) else {"MESSAGE": entry}, time_us)
            self._last = max(self._last, time_us)
            time_us += 1
        self._writer.stdin.write(data)
        self._writer.stdin.flush()

    def finish(self):
        """All is in the file, and the file is at rest."""
        if self._writer is None:
            return
        self._writer.stdin.close()
        self._writer.wait()
        self._writer = None

    def rotate(self):
        """As journald does it: the file is closed and renamed, the next entries go into a new one. Gives its path."""
        self.finish()
        self._archived += 1
        archived = self.directory / f"{self.name}@{self._archived:032x}-{self._archived:016x}-{now_us():016x}.journal"
        self.path.rename(archived)
        return archived

    def lines(self):
        """What journalctl reads of it."""
        shown = subprocess.run(
            ["journalctl", f"--directory={self.directory}", "--output=cat", "--no-pager", "--quiet"],
            capture_output=True,
            check=False,
        )
        return shown.stdout.decode("utf-8", "replace").splitlines()

    def wait_written(self, count):
        wait_until(
            lambda: f"{len(self.lines())} of {count} entries are in the journal",
            lambda: len(self.lines()) >= count,
        )

    def close(self):
        self.finish()
