#!/usr/bin/env python3
"""Targets from files: they come, change, go and break while the agent runs, beside static ones."""

import json
import os

import harness
from harness import base_config, wait_until, write_lines


class FileSdTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.targets = self.dir / "targets"
        self.targets.mkdir()
        self.receiver = self.sink()
        job = {
            "job_name": "apps",
            "static_configs": [{"targets": ["localhost"], "labels": {"app": "fixed", "__path__": str(self.dir / "fixed.log")}}],
            "file_sd_configs": [{"files": [str(self.targets / "*.yml"), str(self.targets / "*.json")]}],
            "relabel_configs": [
                {"source_labels": ["__meta_filepath"], "regex": ".*/([^/]*)", "target_label": "from"},
                {"source_labels": ["skip"], "regex": "yes", "action": "drop"},
            ],
        }
        self.config = base_config(self.dir, self.receiver.url, [job])

    def put(self, name, text):
        """Renamed into place, as programs should."""
        (self.targets / (name + ".tmp")).write_text(text)
        os.replace(self.targets / (name + ".tmp"), self.targets / name)

    def group(self, app, **labels):
        return {"targets": ["localhost"], "labels": {"app": app, "__path__": str(self.dir / f"{app}.log"), **labels}}

    def wait_lines(self, *lines):
        want = sorted(lines)
        wait_until(lambda: f"{self.receiver.lines()}", lambda: sorted(self.receiver.lines()) == want)

    def discovered(self, agent):
        return json.loads(agent.get("/service-discovery?format=json")[1])["jobs"][0]

    def test_targets_follow_their_files(self):
        for app in ("fixed", "web", "db", "late"):
            write_lines(self.dir / f"{app}.log", [f"{app} 1"])
        self.put("web.yml", json.dumps([self.group("web"), self.group("no", skip="yes")]))
        self.put("db.json", json.dumps([self.group("db", tier="a\tb")]))
        agent = self.start(self.config)
        self.wait_lines("fixed 1", "web 1", "db 1")
        labels = {entry.line: entry.labels for entry in self.receiver.taken()}
        self.assertEqual(labels["web 1"], {"app": "web", "from": "web.yml", "filename": str(self.dir / "web.log")})
        self.assertEqual(labels["db 1"]["tier"], "a\tb")
        self.assertEqual(labels["fixed 1"], {"app": "fixed", "filename": str(self.dir / "fixed.log")})
        self.assertEqual(len(self.discovered(agent)["dropped"]), 1)
        self.assertEqual(agent.metrics().sum("agent_file_sd_files", job="apps"), 2)

        self.put("late.yml", json.dumps([self.group("late")]))
        self.wait_lines("fixed 1", "web 1", "db 1", "late 1")

        os.remove(self.targets / "web.yml")
        wait_until("web is gone", lambda: len(self.discovered(agent)["targets"]) == 3)
        write_lines(self.dir / "web.log", ["web 2: nobody reads this"])
        write_lines(self.dir / "late.log", ["late 2"])
        self.wait_lines("fixed 1", "web 1", "db 1", "late 1", "late 2")

        # Back again: it goes on where it was.
        self.put("web.yml", json.dumps([self.group("web")]))
        self.wait_lines("fixed 1", "web 1", "db 1", "late 1", "late 2", "web 2: nobody reads this")
        self.assertEqual(agent.stop()[0], 0)

    def test_a_bad_file_changes_nothing_and_is_told(self):
        write_lines(self.dir / "web.log", ["web 1"])
        self.put("web.yml", json.dumps([self.group("web")]))
        agent = self.start(self.config)
        self.wait_lines("web 1")

        self.put("web.yml", "- targets: [localhost]\n  lables: {}\n")
        failures = lambda: agent.metrics().sum("agent_discovery_failures_total", job="apps", kind="file")
        wait_until("it is counted", failures)
        write_lines(self.dir / "web.log", ["web 2"])
        self.wait_lines("web 1", "web 2")
        self.assertIn("web.yml:2:3: [0]: unknown key 'lables'; did you mean 'labels'?", agent.log())
        self.assertEqual(agent.log().count("lables"), 1)
        self.assertEqual(agent.stop()[0], 0)


if __name__ == "__main__":
    harness.main()
