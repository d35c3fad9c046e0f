"""Ports that stay free until they are used. One that the system gives may be taken by the next connection of anybody;
these are outside of the range that connections come from, and tests that run side by side never have the same."""

import fcntl
import os
import pathlib
import random
import socket
import tempfile

# Below net.ipv4.ip_local_port_range (32768 and above), and above what usual services have.
_FIRST, _END = 12_000, 32_000
_held = []  # Locked until this process ends.


def free_port():
    folder = pathlib.Path(tempfile.gettempdir(), f"log-agent-ports-{os.getuid()}")
    folder.mkdir(exist_ok=True)
    for port in random.sample(range(_FIRST, _END), 1000):
        lock = open(folder / str(port), "a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        if _is_free(port):
            _held.append(lock)
            return port
        lock.close()
    raise OSError("no free port")


def _is_free(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True
