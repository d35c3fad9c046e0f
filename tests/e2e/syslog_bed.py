"""What the tests of the syslog server stand on: senders, and an agent that listens."""

import base64
import collections
import json
import os
import socket

import harness
from harness import base_config, free_port, wait_until

# Every label that there is about a message, so that a test sees it.
SHOW_ALL = {"action": "labelmap", "regex": "__syslog_(message_.+|connection_ip_address)"}


def message(text, priority=13):
    return f"<{priority}>1 2023-05-06T07:08:09.123456Z host app 12 id - {text}".encode()


def counted(data):
    return str(len(data)).encode() + b" " + data


class Sender:
    """A connection to the agent."""

    def __init__(self, port, context=None, wait=20):
        def connect():
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=wait)
            except ConnectionRefusedError:
                return None

        self.socket = wait_until("somebody listens", connect, wait)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def send(self, data):
        self.socket.sendall(data)
        return self

    def close(self):
        self.socket.close()

    def wait_closed(self):
        """Until the agent closes the connection."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


class SyslogCase(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.receiver = self.sink()
        self.port = free_port()

    def config(self, relabel=(), url=None, **keys):
        syslog = {"listen_address": f"127.0.0.1:{self.port}", "labels": {"job": "syslog"}, **keys}
        job = {"job_name": "syslog", "syslog": syslog, "relabel_configs": list(relabel)}
        return base_config(self.dir, url or self.receiver.url, [job], target_config={"sync_period": "10s"})

    def wait_lines(self, *lines, timeout=30):
        want = collections.Counter(lines)
        wait_until(
            lambda: f"{self.receiver.lines()[-20:]}",
            lambda: collections.Counter(self.receiver.lines()) == want,
            timeout,
        )

    def labels(self):
        return {entry.line: entry.labels for entry in self.receiver.taken()}

    def wait_error(self, agent, text):
        """Until the job says on its pages that it cannot listen, and why."""
        wait_until(lambda: f"{agent.get('/ready')}", lambda: text in agent.get("/ready")[1])
        (target,) = json.loads(agent.get("/targets?format=json")[1])["jobs"][0]["targets"]
        self.assertIn(text, target["last_error"])

    def check_nothing_lost(self, connect, config):
        """More than the agent may keep in memory, while nothing is taken from it: the sender waits."""
        self.receiver.stall()
        config["limits_config"] = {"memory_budget": "4MiB"}
        agent = self.start(config).wait_ready()
        count = 15_000
        child = os.fork()
        if child == 0:
            sender = connect()
            for number in range(count):  # Incompressible: what waits in the agent is compressed.
                text = base64.b64encode(os.urandom(800)).decode()
                sender.send(counted(f"<13>1 - - - - - - {number} {text}".encode()))
            sender.close()
            os._exit(0)

        def taken():
            return agent.metrics().sum("promtail_syslog_target_entries_total")

        def stuck():
            before = taken()
            agent.runs_for(0.3)
            return before if 0 < before == taken() else None

        self.assertLess(wait_until("the agent takes no more", stuck), count)
        self.receiver.flow()
        wait_until(lambda: f"{self.receiver.taken_count()} of {count}", lambda: self.receiver.taken_count() >= count, 60)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual([int(line.split()[0]) for line in self.receiver.lines()], list(range(count)))
