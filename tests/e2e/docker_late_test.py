#!/usr/bin/env python3
"""docker_sd_configs when the daemon answers late, not at all, or refuses: containers that are gone by then."""

import os

import harness
from fake_docker import FakeDocker
from harness import base_config, wait_until

RELABEL = [
    {"source_labels": ["__meta_docker_container_name"], "regex": "/(.*)", "target_label": "container"},
    {"source_labels": ["__meta_docker_container_label_app"], "target_label": "app"},
    {"source_labels": ["__meta_docker_container_label_drop"], "regex": "yes", "action": "drop"},
]


class DockerLateTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.daemon = FakeDocker(self.dir)
        self.addCleanup(self.daemon.close)
        self.receiver = self.sink()

    def config(self, **docker):
        job = {"job_name": "containers", "docker_sd_configs": [{"host": self.daemon.host, "refresh_interval": "5s", **docker}]}
        job["relabel_configs"] = RELABEL
        return base_config(self.dir, self.receiver.url, [job])

    def start_agent(self, **docker):
        agent = self.start(self.config(**docker)).wait_ready()
        wait_until("it follows the events", self.daemon.following)
        # What it finds by its events shows that it listens in the folder as well.
        first = "f" * 64
        self.daemon.create(first, "first")
        self.daemon.write(first, "first")
        self.daemon.begin(first)
        self.wait_lines("first", ["first"])
        return agent

    def lines(self, container):
        return [entry.line for entry in self.receiver.taken() if entry.labels.get("container") == container]

    def wait_lines(self, container, want):
        wait_until(lambda: f"{container}: {self.lines(container)}", lambda: len(self.lines(container)) >= len(want))
        self.assertEqual(self.lines(container), want)

    def vanish(self, container, name, known, labels=None):
        """It is made, writes three lines and is gone before the daemon has answered what it is."""
        self.daemon.inspected.clear()
        self.daemon.answer.clear()
        self.daemon.create(container, name, labels)
        self.assertTrue(self.daemon.inspected.wait(30))
        self.daemon.write(container, "one", "two", "three")
        wait_until("the log is open", lambda: self.holds(container))
        self.daemon.remove(container, known)
        self.daemon.event("destroy", container)
        self.daemon.answer.set()

    def holds(self, container):
        folder = f"/proc/{self.agents[0].process.pid}/fd"
        for each in os.listdir(folder):
            try:
                if container in os.readlink(f"{folder}/{each}"):
                    return True
            except OSError:
                pass
        return False

    def test_a_log_that_is_gone_before_the_answer_is_read(self):
        self.start_agent()

        for number in range(5):
            self.vanish(f"{number:064x}", f"late{number}", known=True, labels={"app": "web"})
            self.wait_lines(f"late{number}", ["one", "two", "three"])

        self.assertEqual({entry.labels.get("app") for entry in self.receiver.taken()}, {None, "web"})

    def test_a_container_that_is_gone_before_the_answer_has_the_labels_of_its_event(self):
        self.start_agent()

        for number in range(5):
            self.vanish(f"{number:064x}", f"gone{number}", known=False, labels={"app": "web"})
            self.wait_lines(f"gone{number}", ["one", "two", "three"])
        self.vanish("e" * 64, "unwanted", known=False, labels={"drop": "yes"})
        self.vanish("d" * 64, "last", known=False)

        self.wait_lines("last", ["one", "two", "three"])
        self.assertEqual(self.lines("unwanted"), [])
        self.assertEqual(self.receiver.taken()[-4].labels, {"container": "gone4", "app": "web"})

    def test_what_nobody_wants_is_let_go(self):
        agent = self.start_agent()
        container = "c" * 64
        self.daemon.log_path(container).parent.mkdir()
        self.daemon.write(container, "of another daemon")
        wait_until("it is held", lambda: self.holds(container))

        wait_until("it is let go", lambda: not self.holds(container), timeout=40, pause=0.5)
        agent.check_running()
        self.assertEqual(len(self.receiver.taken()), 1)

    def test_a_proxy_that_refuses_and_a_daemon_that_goes(self):
        self.daemon.refuse = lambda path: 403 if path in ("/events", "/info", "/networks") else None
        agent = self.start(self.config(refresh_interval="1s", log_path_prefix="")).wait_ready()
        wait_until("it says so", lambda: "events are refused" in agent.log())
        listed = "a" * 64
        self.daemon.create(listed, "listed")
        self.daemon.write(listed, "one")
        self.daemon.begin(listed)
        self.wait_lines("listed", ["one"])

        self.daemon.refuse = lambda path: 403
        wait_until("the refusal is told", lambda: "Docker does not answer" in agent.log())
        self.daemon.write(listed, "two")
        self.wait_lines("listed", ["one", "two"])
        self.daemon.close()
        self.daemon.socket.unlink()
        self.daemon.write(listed, "three")
        self.wait_lines("listed", ["one", "two", "three"])
        wait_until("it is counted", lambda: agent.metrics().sum("agent_discovery_failures_total", kind="docker") > 1)
        self.assertEqual(agent.stop()[0], 0)


if __name__ == "__main__":
    harness.main()
