#!/usr/bin/env python3
"""What a service manager is told (sd_notify): when the agent is ready, reloads and stops, how it is, and that it is alive, as
long as its loop and its workers are. And `agent ready` and `agent configured`, which units and containers ask with."""

import ctypes
import json
import os
import pathlib
import signal
import subprocess
import time
import unittest

import harness
from harness import AGENT, base_config, file_job, free_port, wait_until, write_lines
from notify import NotifySocket

WATCHDOG = 0.6 * (5 if harness.SANITIZED else 1)  # Seconds.

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000


class StoppedThread:
    """Holds one thread of another process, which goes on otherwise: as a system call that does not return does. From one
    thread alone."""

    def __init__(self, tid):
        self.tid = tid
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.libc.ptrace.restype = ctypes.c_long
        if self.libc.ptrace(PTRACE_SEIZE, tid, None, None) != 0:
            raise unittest.SkipTest(f"ptrace is not allowed here: {os.strerror(ctypes.get_errno())}")
        self.libc.ptrace(PTRACE_INTERRUPT, tid, None, None)
        os.waitpid(tid, WALL)

    def go_on(self):
        self.libc.ptrace(PTRACE_DETACH, self.tid, None, None)


def threads(pid, name):
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return [int(task.name) for task in tasks if (task / "comm").read_text().strip() == name]


class NotifyTest(harness.TestCase):
    def begin(self, abstract=False, watchdog=None, receiver=None, **more):
        self.manager = NotifySocket(abstract)
        self.addCleanup(self.manager.close)
        self.receiver = self.sink() if receiver is None else receiver
        self.log_path = self.dir / "a.log"
        write_lines(self.log_path, ["first"])
        self.config = base_config(self.dir, self.receiver.url, [file_job(self.log_path)], **more)
        self.config["server"]["enable_runtime_reload"] = True
        env = {"NOTIFY_SOCKET": self.manager.address}
        if watchdog is not None:
            env["WATCHDOG_USEC"] = str(int(watchdog * 1e6))
        return self.start(self.config, env=env)

    def wait_told(self, *assignments):
        wait_until(lambda: self.manager.told(), lambda: all(self.manager.count(each) for each in assignments))

    def test_ready_reload_stop_and_status(self):
        for abstract in (False, True):
            with self.subTest(abstract=abstract):
                agent = self.begin(abstract)
                self.wait_told("READY=1")
                # By then it listens: nobody has to try again.
                self.assertNotEqual(agent.get("/ready")[0], 0)
                wait_until(self.manager.status, lambda: self.manager.status() == "1 file followed, 1 entry sent")

                for reload in (lambda: agent.process.send_signal(signal.SIGHUP), lambda: agent.get("/reload", "POST")):
                    self.manager.forget()
                    before = time.monotonic_ns() // 1000
                    self.config["target_config"]["sync_period"] = f"{time.monotonic_ns()}ns"
                    agent.write_config(self.config)
                    reload()
                    self.wait_told("RELOADING=1", "READY=1")
                    begins, ends = self.manager.told()[:2]
                    self.assertEqual(begins[0], "RELOADING=1")
                    self.assertEqual(ends[0], "READY=1")
                    self.assertGreaterEqual(int(begins[1].removeprefix("MONOTONIC_USEC=")), before)

                self.manager.forget()
                agent.write_config("nonsense: yes\n")
                agent.process.send_signal(signal.SIGHUP)
                self.wait_told("READY=1")
                self.assertIn("the new configuration is not used", self.manager.status())

                self.manager.forget()
                self.assertEqual(agent.stop()[0], 0)
                self.assertEqual(self.manager.told()[0][0], "STOPPING=1")
                self.assertEqual(self.manager.count("READY=1"), 0)

    def test_it_is_not_ready_when_it_cannot_start(self):
        agent = self.begin(server={"http_listen_address": "127.0.0.1", "http_listen_port": free_port()}, positions=3)
        self.assertEqual(agent.process.wait(20), 1)
        self.assertEqual(self.manager.told(), [])

    def test_the_status_says_what_is_wrong(self):
        class Nobody:
            url = f"http://127.0.0.1:{free_port()}/loki/api/v1/push"

        agent = self.begin(receiver=Nobody())
        wait_until(self.manager.status, lambda: "retrying" in (self.manager.status() or ""), 60)
        self.assertIn("1 file followed, 0 entries sent; ", self.manager.status())
        agent.kill()

    def alive(self, seconds, least):
        """Whether so many signs of life come in that time."""
        self.manager.forget()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            harness.wait_pause(0.05)
            if self.manager.count("WATCHDOG=1") >= least:
                return True
        return False

    def test_signs_of_life_while_the_receiver_is_dead_and_nothing_more_is_read(self):
        """A worker that waits for memory is not stuck."""
        self.begin(watchdog=WATCHDOG, limits_config={"memory_budget": "4MiB"})
        self.wait_told("READY=1")
        self.receiver.stall()
        with open(self.log_path, "ab") as log:
            for i in range(40):
                log.write(os.urandom(500_000).hex().encode() + b"\n")
        agent = self.agents[-1]
        wait_until(agent.log, lambda: agent.metrics().sum("promtail_read_bytes_total") > 1_000_000)
        self.assertTrue(self.alive(60, 8))
        self.assertNotIn("stuck", agent.log())

    def test_none_while_a_worker_is_stuck(self):
        agent = self.begin(watchdog=WATCHDOG)
        wait_until(self.manager.told, lambda: self.manager.count("WATCHDOG=1") > 1)
        workers = [StoppedThread(tid) for tid in threads(agent.process.pid, "worker")]
        self.assertTrue(workers)
        # One that is given nothing to do is not missed.
        self.assertTrue(self.alive(60, 5))
        write_lines(self.log_path, ["second"])
        wait_until(agent.log, lambda: "a worker is stuck" in agent.log())
        self.assertFalse(self.alive(3 * WATCHDOG, 1))
        self.assertEqual(agent.get("/loglevel")[0], 200)  # The loop itself goes on.

        for worker in workers:
            worker.go_on()
        self.assertTrue(self.alive(60, 3))
        wait_until(self.receiver.taken_count, lambda: self.receiver.taken_count() == 2)

    def test_none_while_the_loop_stands_still(self):
        agent = self.begin(watchdog=WATCHDOG)
        wait_until(self.manager.told, lambda: self.manager.count("WATCHDOG=1") > 1)
        loop = StoppedThread(agent.process.pid)
        self.assertFalse(self.alive(3 * WATCHDOG, 1))
        loop.go_on()
        self.assertTrue(self.alive(60, 3))

    def test_none_where_nobody_asks_for_them(self):
        agent = self.begin()
        self.wait_told("READY=1")
        agent.runs_for(1)
        self.assertEqual(self.manager.count("WATCHDOG=1"), 0)


class CommandsTest(harness.TestCase):
    def run_it(self, *arguments, **environment):
        return subprocess.run([AGENT, *arguments], capture_output=True, text=True, timeout=30, check=False,
                              env={**os.environ, **environment})  # fmt: skip

    def test_ready_asks_the_agent(self):
        receiver = self.sink()
        config = base_config(self.dir, receiver.url, [file_job(self.dir / "a.log")])
        agent = self.start(config)
        port = config["server"]["http_listen_port"]
        wait_until(agent.log, lambda: agent.get("/ready")[0])

        from_config = self.run_it("ready", "-config.file", str(agent.config_path))
        self.assertEqual(from_config.returncode, 1)
        self.assertIn("Not ready: Unable to find any logs to tail", from_config.stdout)

        write_lines(self.dir / "a.log", ["here it is"])
        agent.wait_ready()
        url = f"http://127.0.0.1:{port}/ready"
        for arguments, environment in (
            (("-config.file", str(agent.config_path)), {}),
            ((url,), {}),
            (("-config.expand-env", url), {}),
            ((f"-server.http-listen-port={port}",), {}),
            ((), {"LOG_AGENT_READY": url}),
        ):
            result = self.run_it("ready", *arguments, **environment)
            self.assertEqual((result.returncode, result.stdout), (0, "Ready\n"), (arguments, result.stderr))

        agent.stop()
        gone = self.run_it("ready", url)
        self.assertEqual((gone.returncode, gone.stdout), (1, ""))
        self.assertIn(url, gone.stderr)

    def test_ready_refuses_what_is_no_url_and_unknown_flags(self):
        for arguments in (("9080",), ("ftp://127.0.0.1/",), ("-url=x",)):
            result = self.run_it("ready", *arguments)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertIn("agent ready -help", result.stderr)

    def test_what_names_no_receiver_loads_and_is_not_started(self):
        path = self.dir / "c.yaml"
        path.write_text(json.dumps({"outputs": [], "positions": {"filename": str(self.dir / "p")}}))
        config = f"-config.file={path}"

        self.assertEqual(self.run_it(config, "-check-syntax").returncode, 0)
        self.assertEqual(self.run_it("configured", config).returncode, 1)
        started = self.run_it(config)
        self.assertEqual(started.returncode, 1)
        self.assertIn("no receiver is named", started.stderr)
        self.assertFalse((self.dir / "p").exists())

        self.assertEqual(self.run_it("configured", config, "-client.url=http://127.0.0.1:1/").returncode, 0)
        path.write_text("outputs: [\n")
        self.assertEqual(self.run_it("configured", config).returncode, 0)
        self.assertEqual(self.run_it("configured", f"-config.file={path}.not").returncode, 0)

    def test_a_reload_that_leaves_no_receiver_is_refused(self):
        receiver = self.sink()
        log = self.dir / "a.log"
        write_lines(log, ["one"])
        config = base_config(self.dir, receiver.url, [file_job(log)])
        agent = self.start(config).wait_ready()
        agent.write_config({**config, "clients": [], "outputs": []})
        agent.process.send_signal(signal.SIGHUP)
        wait_until(agent.log, lambda: "no receiver is named" in agent.log())
        write_lines(log, ["two"])
        wait_until(agent.log, lambda: receiver.taken_count() == 2)


if __name__ == "__main__":
    harness.main()
