"""A service manager, as far as a service sees one: what it is told over $NOTIFY_SOCKET."""

import os
import socket
import tempfile
import threading


class NotifySocket:
    """`abstract`: a name that is in no file system. Messages are kept as lists of their assignments."""

    def __init__(self, abstract=False):
        self._folder = None if abstract else tempfile.TemporaryDirectory(prefix="log-agent-notify-")
        self.address = f"@log-agent-test-{os.getpid()}" if abstract else f"{self._folder.name}/notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self.address[1:] if abstract else self.address)
        self._lock = threading.Lock()
        self._told = []
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self):
        while True:
            try:
                message = self._socket.recv(65536).decode()
            except OSError:
                return
            if message == "\0":
                return
            with self._lock:
                self._told.append(message.split("\n"))

    def told(self):
        """All messages since the last forget()."""
        with self._lock:
            return list(self._told)

    def forget(self):
        with self._lock:
            self._told.clear()

    def count(self, assignment):
        return sum(assignment in message for message in self.told())

    def status(self):
        """The latest; None when there is none."""
        all_of = [line for message in self.told() for line in message if line.startswith("STATUS=")]
        return all_of[-1].removeprefix("STATUS=") if all_of else None

    def close(self):
        # A thread that waits in recv() is woken by a message, not by close().
        name = "\0" + self.address[1:] if self._folder is None else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"\0", name)
        self._socket.close()
        if self._folder is not None:
            self._folder.cleanup()
