#!/usr/bin/env python3
"""Reload by SIGHUP and by POST /reload: a bad file keeps the running configuration, a good one takes
over without losing or repeating a line."""

import json
import signal

import harness
from harness import base_config, file_job, wait_until
from sink import Answer
from writer import RotatingWriter, Tally


class ReloadTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.writer = RotatingWriter(self.dir / "app.log")
        self.receiver = self.sink()
        self.config = base_config(self.dir, self.receiver.url, [file_job(self.dir / "app.log")])
        self.config["server"]["enable_runtime_reload"] = True

    def with_label(self, value):
        config = json.loads(json.dumps(self.config))
        config["scrape_configs"][0]["static_configs"][0]["labels"]["version"] = value
        return config

    def reloads(self, agent):
        metrics = agent.metrics()
        return metrics.sum("promtail_config_reload_success_total"), metrics.sum("promtail_config_reload_fail_total")

    def test_a_good_file_takes_over_under_load(self):
        agent = self.start(self.with_label("0")).wait_ready()

        for version in range(1, 6):
            self.writer.write(3000)
            agent.write_config(self.with_label(str(version)))
            agent.process.send_signal(signal.SIGHUP)
            wait_until("the reload is done", lambda v=version: self.reloads(agent)[0] >= v)
            self.writer.write(3000)
        self.wait_complete(agent, self.receiver, self.writer)

        self.assertEqual(agent.stop()[0], 0)
        self.assertEqual(Tally(self.receiver.taken()).repeats(), 0)
        self.assertIn("5", {entry.labels.get("version") for entry in self.receiver.taken()})

    def test_going_back_to_an_earlier_file_repeats_nothing(self):
        agent = self.start(self.with_label("0")).wait_ready()

        for count, version in enumerate("10201", start=1):
            self.writer.write(500)
            agent.write_config(self.with_label(version))
            agent.process.send_signal(signal.SIGHUP)
            wait_until("the reload is done", lambda n=count: self.reloads(agent)[0] >= n)
            self.writer.write(500)
        self.wait_complete(agent, self.receiver, self.writer)

        self.assertEqual(agent.stop()[0], 0)
        self.assertEqual(Tally(self.receiver.taken()).repeats(), 0)

    def test_a_bad_file_keeps_the_running_configuration(self):
        agent = self.start(self.with_label("good")).wait_ready()
        agent.write_config(json.dumps(self.with_label("bad")).replace('"scrape_configs"', '"scrape_confgs"'))

        agent.process.send_signal(signal.SIGHUP)
        wait_until("the reload is refused", lambda: self.reloads(agent) == (0, 1))
        self.writer.write(1000)
        self.wait_complete(agent, self.receiver, self.writer)

        self.assertEqual({entry.labels["version"] for entry in self.receiver.taken()}, {"good"})
        self.assertIn("scrape_confgs", agent.log())

    def test_a_file_that_changes_during_a_reload_is_read_again(self):
        agent = self.start(self.with_label("0")).wait_ready()
        self.receiver.answer(lambda index, push: Answer(503))
        self.writer.write(10)
        wait_until("something is on its way", lambda: self.receiver.request_count() > 0)
        agent.write_config(self.with_label("1"))
        agent.process.send_signal(signal.SIGHUP)  # Waits for the receiver.
        agent.runs_for(0.5)
        agent.write_config(self.with_label("2"))
        agent.process.send_signal(signal.SIGHUP)
        agent.runs_for(0.2)

        self.receiver.answer(lambda index, push: Answer())
        wait_until("both reloads are done", lambda: self.reloads(agent)[0] >= 2)
        self.writer.write(10)
        self.wait_complete(agent, self.receiver, self.writer)

        self.assertEqual(self.receiver.taken()[-1].labels["version"], "2")

    def test_the_last_job_goes(self):
        self.writer.write(10)
        agent = self.start(self.config).wait_ready()
        self.wait_complete(agent, self.receiver, self.writer)
        agent.write_config({**self.config, "scrape_configs": []})
        agent.process.send_signal(signal.SIGHUP)
        wait_until("the reload is done", lambda: self.reloads(agent)[0] >= 1)

        self.writer.rotate()
        self.writer.write(10)
        agent.runs_for(2)  # A scan or two.
        agent.write_config(self.config)
        agent.process.send_signal(signal.SIGHUP)

        self.wait_complete(agent, self.receiver, self.writer)
        self.assertEqual(Tally(self.receiver.taken()).repeats(), 0)

    def test_post_reload(self):
        agent = self.start(self.with_label("0")).wait_ready()
        agent.write_config(self.with_label("1"))
        self.assertEqual(agent.get("/reload", "POST")[0], 200)
        self.writer.write(100)
        self.wait_complete(agent, self.receiver, self.writer)
        self.assertEqual({entry.labels["version"] for entry in self.receiver.taken()}, {"1"})

        agent.write_config("clients: [")
        status, text = agent.get("/reload", "POST")

        self.assertEqual(status, 500)
        self.assertIn("failed to reload config", text)
        # Nothing has changed: that is no failure.
        agent.write_config(self.with_label("1"))
        self.assertEqual(agent.get("/reload", "POST")[0], 200)

    def test_post_reload_is_off_unless_asked_for(self):
        del self.config["server"]["enable_runtime_reload"]
        agent = self.start(self.config).wait_ready()
        self.assertEqual(agent.get("/reload", "POST")[0], 404)

    def test_a_job_more_and_a_job_less(self):
        other = RotatingWriter(self.dir / "other.log", first=1_000_000)
        other.write(100)
        self.writer.write(100)
        agent = self.start(self.config).wait_ready()
        self.wait_complete(agent, self.receiver, self.writer)
        both = json.loads(json.dumps(self.config))
        both["scrape_configs"].append(file_job(self.dir / "other.log", "other"))

        agent.write_config(both)
        agent.process.send_signal(signal.SIGHUP)

        wait_until("the new job ships", lambda: len(self.receiver.taken()) >= 200)
        agent.write_config(self.config)
        agent.process.send_signal(signal.SIGHUP)
        wait_until("the second reload", lambda: self.reloads(agent)[0] >= 2)
        self.writer.write(100)
        self.wait_complete(agent, self.receiver, self.writer)
        self.assertEqual(len(self.receiver.taken()), 300)


if __name__ == "__main__":
    harness.main()
