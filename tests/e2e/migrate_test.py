#!/usr/bin/env python3
"""From the real Promtail to the agent and back, on the same configuration and the same positions.yaml, while files are
written and rotated: nothing is lost, nothing is repeated, and the streams stay the same. deploy/migrate.md is what a
person does; its queries run here."""

import collections
import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile
import time
import urllib.parse

import harness
from dockerd import Dockerd
from harness import base_config, build_server, file_job, http_get, wait_until
from loki import Loki
from migrate_bed import Account, Load, TrackedLog, cri, docker, numbers, positions

ROUNDS = 10 if harness.FULL else 2  # Each: Promtail, then the agent.
DOCUMENT = harness.ROOT / "deploy/migrate.md"


class MigrateCase(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.promtail = build_server("promtail")

    def setUp(self):
        super().setUp()
        self.receiver = self.sink()
        logs = self.dir / "logs"
        self.logs = [TrackedLog(logs / f"app/{name}.log") for name in ("api", "web", "jobs")]
        self.logs += [TrackedLog(logs / f"docker/{c * 12}/{c * 12}-json.log", docker) for c in "ab"]
        self.logs += [
            TrackedLog(logs / f"pods/prod_{pod}_{pod}/main/0.log", cri, "{path}.20260101-{n:06d}") for pod in ("one", "two")
        ]
        self.jobs = [
            file_job(logs / "app/*.log", "app", [{"regex": {"expression": "seq=\\d*(?P<last>\\d) "}}, {"labels": {"last": None}}]),
            file_job(logs / "docker/*/*-json.log", "docker", [{"docker": {}}]),
            file_job(logs / "pods/*/*/*.log", "pods", [{"cri": {}}]),
        ]
        self.account = Account(self.logs)
        self.taken = 0
        self.streams = {"promtail": collections.defaultdict(set), "agent": collections.defaultdict(set)}
        self.phase = 0

    def config(self, url):
        return base_config(self.dir, url, self.jobs)

    def run_program(self, kind):
        self.phase += 1
        self.kind = kind
        binary = self.promtail if kind == "promtail" else harness.AGENT
        config = self.config(self.receiver.url)
        self.program = self.start(config, name=f"{self.phase}-{kind}", binary=binary)
        for log in self.logs:
            log.write(1)
        self.wait_reached({log.name: log.first for log in self.logs})  # It knows the files.
        return self.program

    def came(self):
        return numbers(self.receiver.taken()[self.taken :])

    def wait_reached(self, targets):
        """Until of each log this number came from the program that runs now."""

        def behind():
            self.program.check_running()
            came = self.came()
            return [f"{log}: {max(came[log], default=None)} of {number}" for log, number in targets.items()
                    if max(came[log], default=-1) < number]  # fmt: skip

        wait_until(lambda: f"{self.kind} has not come to {behind()}", lambda: not behind(), timeout=60, pause=0.1)

    def wait_newest(self):
        self.wait_reached({log.name: log.next - 1 for log in self.logs})

    def rotate_all(self):
        """As a node does: now this one, now that one. Promtail looks each 250 ms, and forgets a file that came and went
        in between; so nobody rotates before the file is known."""
        for log in self.logs:
            log.rotate()
            log.write(10)
        self.wait_reached({log.name: log.first for log in self.logs})

    def stop_program(self):
        """SIGTERM, and what it answered for. Gives (beyond, short): what Account.close_phase says."""
        code, _ = self.program.stop(timeout=40)
        self.assertEqual(code, 0)
        entries = self.receiver.taken()[self.taken :]
        self.taken += len(entries)
        for entry in entries:
            self.streams[self.kind][entry.labels["filename"]].add(tuple(sorted(entry.labels.items())))
        covered, beyond, short = self.account.close_phase(entries, positions(self.dir / "positions.yaml"))
        print(f"{self.phase} {self.kind}: {covered} lines, {len(beyond)} beyond its positions, {len(short)} short")
        self.assertGreater(covered, 0)
        return beyond, short

    def check_streams(self):
        self.assertEqual(self.receiver.errors, [])
        self.assertEqual(len(self.streams["promtail"]), len(self.logs))
        self.assertEqual(self.streams["promtail"], self.streams["agent"])


class TakeoverTest(MigrateCase):
    def test_what_is_rotated_while_neither_runs_is_read_to_its_end(self):
        self.run_program("promtail")
        for log in self.logs:
            log.write(500)
        self.wait_newest()
        self.stop_program()
        for log in self.logs:
            for _ in range(2):
                log.write(300)
                log.rotate()
            log.write(700)  # More than Promtail's offset: its number alone fits the new file as well.

        self.run_program("agent")
        self.wait_newest()
        self.stop_program()

        self.assertEqual((self.account.lost(), self.account.repeated()), ({}, {}))
        self.check_streams()

    def test_nothing_is_lost_or_repeated_when_the_writers_pause(self):
        """What a person does who can choose the moment. What is written while neither runs waits in the files."""
        for _ in range(ROUNDS):
            for kind in ("promtail", "agent"):
                self.run_program(kind)
                load = Load(self.logs)
                self.rotate_all()
                self.rotate_all()
                load.stop()
                self.wait_newest()
                # Promtail's positions are what it has read when its timer was due; at the end it writes them once more.
                self.assertEqual(self.stop_program(), ([], []))
                for log in self.logs:
                    log.write(100)

        self.run_program("agent")
        self.wait_newest()
        self.assertEqual(self.stop_program(), ([], []))
        self.assertEqual(self.account.lost(), {})
        self.assertEqual(self.account.repeated(), {})
        self.check_streams()

    def test_under_load_only_promtail_s_positions_are_not_exact(self):
        """Writers and rotation never pause. The agent has shipped exactly what its positions say, every time; what Promtail
        has shipped beyond its own positions comes again, and nothing else does."""
        load = Load(self.logs)
        self.addCleanup(load.stop)
        for _ in range(ROUNDS):
            self.run_program("promtail")
            self.rotate_all()
            self.rotate_all()
            self.stop_program()

            self.run_program("agent")
            for _ in range(5):
                for log in self.logs:
                    log.rotate()
                    log.write(1)
            self.rotate_all()
            self.assertEqual(self.stop_program(), ([], []))

        load.stop()
        self.run_program("agent")
        self.wait_newest()
        self.assertEqual(self.stop_program(), ([], []))
        print(f"of {sum(log.next for log in self.logs)} lines Promtail repeated {self.account.beyond.total()}"
              f" and lost {self.account.short.total()}, by its own positions")  # fmt: skip
        self.assertEqual(self.account.lost(), self.account.short)
        self.assertEqual(self.account.repeated(), self.account.beyond)
        self.check_streams()

    def test_dashboards_find_the_same_metrics(self):
        names = {}
        for kind in ("promtail", "agent"):
            program = self.run_program(kind)
            for log in self.logs:
                log.write(10)
            self.wait_newest()
            wait_until("a request is counted", lambda: program.metrics().sum("promtail_sent_entries_total") > 0)
            names[kind] = {name for name in program.metrics().names() if name.startswith(("promtail_", "logentry_"))}
            self.stop_program()

        self.assertEqual(names["promtail"] - names["agent"], set())


class LokiTakeoverTest(MigrateCase):
    """There and back with a real Loki, each program with a positions file of its own that is copied over, as on a host;
    and the queries of deploy/migrate.md find nothing that is missing or twice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = pathlib.Path(tempfile.mkdtemp(prefix="log-agent-loki-"))
        cls.addClassCleanup(shutil.rmtree, directory, ignore_errors=True)
        cls.loki = Loki(directory)
        cls.addClassCleanup(cls.loki.stop)
        cls.loki.wait_ready()

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.loki.port}/loki/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        status, text = http_get(url, timeout=60)
        self.assertEqual(status, 200, text[:300])
        return json.loads(text)["data"]

    def instant(self, query):
        """{labels: value}, now."""
        return {tuple(sorted(one["metric"].items())): float(one["value"][1]) for one in self.ask("query", query=query)["result"]}

    def stored(self):
        return numbers(self.loki.query('{job=~".+"}', self.begin_ns, time.time_ns() + 10**9))

    def hand_over(self, source, target):
        install = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("install -p ")]
        self.assertEqual(len(install), 2)
        command = install[0 if target == "agent" else 1].split()
        user = pwd.getpwuid(os.getuid()).pw_name
        command[command.index("-o") + 1] = command[command.index("-g") + 1] = user
        subprocess.run([*command[:-2], self.dir / f"{source}.yaml", self.dir / f"{target}.yaml"], check=True)

    def test_there_and_back(self):
        count, rate = re.findall(r"^```logql\n(.*?)\n```", DOCUMENT.read_text(), re.M | re.S)
        self.begin_ns = time.time_ns() - 10**9
        written, streams, before = 0, [], None
        for number, kind in enumerate(("promtail", "agent", "promtail", "agent")):
            if before:
                self.hand_over(before, kind)
            config = self.config(self.loki.url)
            config["positions"]["filename"] = str(self.dir / f"{kind}.yaml")
            binary = self.promtail if kind == "promtail" else harness.AGENT
            written += 300
            for log in self.logs:
                log.write(300)
            program = self.start(config, name=f"{number}-{kind}-run", binary=binary)
            wait_until(lambda: f"{kind}: {({n: len(c) for n, c in self.stored().items()})}",
                       lambda: all(len(self.stored()[log.name]) >= written for log in self.logs), pause=0.2)  # fmt: skip
            program.stop(timeout=40)
            found = self.ask("series", **{"match[]": '{job=~".+"}'})
            streams.append(sorted(tuple(sorted(labels.items())) for labels in found))
            before = kind

        for log in self.logs:
            self.assertEqual(self.stored()[log.name], collections.Counter(range(written)), log.name)
        self.assertEqual(self.instant(count), {(("filename", str(log.path)),): written for log in self.logs})
        self.assertEqual({labels[0][1] for labels in self.instant(rate)}, {"app", "docker", "pods"})
        self.assertEqual(len(streams[0]), 3 * 10 + 4)  # The label `last` has ten values.
        self.assertEqual(streams[1:], [streams[0]] * 3)


class DockerTakeoverTest(harness.TestCase):
    """docker_sd_configs. Promtail notes the second of a container's last line, so that the lines of that second come again, from
    it and from the agent; before and after it nothing does, and nothing is lost."""

    def test_there_and_back(self):
        promtail = build_server("promtail")
        daemon = Dockerd()
        self.addCleanup(daemon.close)
        receiver = self.sink()
        rules = [{"source_labels": ["__meta_docker_container_name"], "regex": "/(.*)", "target_label": "container"},
                 {"source_labels": ["__meta_docker_container_log_stream"], "target_label": "stream"}]  # fmt: skip
        discovery = {"host": daemon.host, "refresh_interval": "1s"}
        config = base_config(self.dir, receiver.url, [])
        config["scrape_configs"] = [{"job_name": "docker", "docker_sd_configs": [discovery], "relabel_configs": rules}]
        daemon.run_detached("app", "n=0; while :; do n=$((n+1)); echo line $n; usleep 50000; done")

        streams, begin, seconds = {}, 0, set()
        for number, kind in enumerate(("promtail", "agent", "promtail", "agent")):
            binary = promtail if kind == "promtail" else harness.AGENT
            program = self.start(config, name=f"{number}-{kind}", binary=binary)
            wait_until("lines of two seconds", lambda: len(receiver.taken()) >= begin + 60, timeout=60)
            program.stop(timeout=40)
            entries = receiver.taken()
            streams.setdefault(kind, set()).update(tuple(sorted(entry.labels.items())) for entry in entries[begin:])
            begin = len(entries)
            seconds.add(max(entry.ts for entry in entries) // 10**9)

        came = collections.Counter((int(entry.line.split()[1]), entry.ts) for entry in entries)
        self.assertEqual(sorted(number for number, _ in came), list(range(1, len(came) + 1)))
        repeated = {ts // 10**9 for (_, ts), count in came.items() if count > 1}
        self.assertLessEqual(repeated, seconds)
        self.assertEqual(streams["promtail"], streams["agent"])


if __name__ == "__main__":
    harness.main()
