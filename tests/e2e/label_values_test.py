#!/usr/bin/env python3
"""A label with too many values: what the agent says of it, and what it does as configured."""

import json

import harness
from harness import base_config, file_job, wait_until, write_lines

VALUES = 2000
LIMIT = 1000
STAGES = [{"json": {"expressions": {"user": None}}}, {"labels": {"user": None}}]


def lines(first, end):
    return [json.dumps({"user": f"user-{n:04}"}) for n in range(first, end)]


class LabelValuesTest(harness.TestCase):
    def run_with(self, **limits):
        """The agent after 2,000 lines, each with a user of its own; its entries by user."""
        self.path = self.dir / "app.log"
        self.receiver = self.sink()
        write_lines(self.path, lines(0, VALUES))
        self.config = base_config(
            self.dir, self.receiver.url, [file_job(self.path, stages=STAGES)], limits_config=limits
        )
        self.agent = self.start(self.config).wait_ready()
        wait_until("the lines came", lambda: self.receiver.taken_count() >= VALUES)
        return self.entries()

    def entries(self):
        return {json.loads(entry.line)["user"]: entry for entry in self.receiver.taken()}

    def label_in_targets(self):
        status, text = self.agent.get("/targets?format=json")
        self.assertEqual(status, 200)
        (job,) = json.loads(text)["jobs"]
        return {label["name"]: label for label in job["labels"]}

    def test_by_default_it_is_counted_and_named(self):
        entries = self.run_with()

        self.assertTrue(all(entry.labels.get("user") == user for user, entry in entries.items()))
        metrics = self.agent.metrics()
        self.assertAlmostEqual(
            metrics.sum("agent_label_values", job="test", label="user"), VALUES, delta=VALUES * 0.05
        )
        self.assertEqual(metrics.sum("agent_label_values_exceeded_total", job="test", label="user"), VALUES - LIMIT)
        self.assertEqual(metrics.sum("agent_label_values", job="test", label="filename"), 1)
        labels = self.label_in_targets()
        self.assertEqual(labels["user"]["limit"], LIMIT)
        self.assertEqual(labels["user"]["exceeded"], VALUES - LIMIT)
        self.assertEqual(labels["user"]["sample"], f"user-{VALUES - 1:04}")
        self.assertEqual(labels["filename"]["exceeded"], 0)
        status, page = self.agent.get("/targets")
        self.assertEqual(status, 200)
        self.assertIn(f"user-{VALUES - 1:04}", page)
        warnings = [line for line in self.agent.log().splitlines() if "too many values" in line]
        self.assertEqual(len(warnings), 1, warnings)
        for part in ("job=test", "label=user", f"limit={LIMIT}", f"sample=user-{LIMIT:04}"):
            self.assertIn(part, warnings[0])

    def check_new_values(self, entries, is_new):
        for user, entry in entries.items():
            if int(user[5:]) < LIMIT:
                self.assertEqual(entry.labels.get("user"), user)
                self.assertEqual(entry.meta, {})
            else:
                is_new(user, entry)

    def test_new_values_move_to_structured_metadata(self):
        def is_new(user, entry):
            self.assertNotIn("user", entry.labels)
            self.assertEqual(entry.meta, {"user": user})

        self.check_new_values(self.run_with(on_excess="structured_metadata"), is_new)

    def test_new_values_are_put_into_buckets(self):
        buckets = set()

        def is_new(user, entry):
            self.assertRegex(entry.labels["user"], r"^bucket_\d\d$")
            buckets.add(entry.labels["user"])

        self.check_new_values(self.run_with(on_excess="bucket"), is_new)
        self.assertLessEqual(len(buckets), 32)
        self.assertGreater(len(buckets), 16)

    def test_new_values_lose_the_label_and_a_reload_keeps_the_old_ones(self):
        def is_new(user, entry):
            self.assertNotIn("user", entry.labels)
            self.assertEqual(entry.meta, {})

        self.check_new_values(self.run_with(on_excess="drop_label"), is_new)

        self.config["clients"][0]["external_labels"] = {"reloaded": "yes"}
        self.agent.write_config(self.config)
        self.agent.process.send_signal(harness.signal.SIGHUP)
        wait_until("the reload", lambda: self.agent.metrics().sum("promtail_config_reload_success_total") >= 1)
        write_lines(self.path, lines(LIMIT // 2, LIMIT + LIMIT // 2))
        wait_until("the lines after it", lambda: self.receiver.taken_count() >= VALUES + LIMIT)
        again = {user: entry for user, entry in self.entries().items() if "reloaded" in entry.labels}
        self.assertEqual(len(again), LIMIT)
        self.check_new_values(again, is_new)

    def test_without_a_limit_nothing_is_counted(self):
        entries = self.run_with(max_label_values=0)

        self.assertTrue(all(entry.labels.get("user") == user for user, entry in entries.items()))
        self.assertNotIn("agent_label_values", self.agent.metrics().names())
        self.assertEqual(self.label_in_targets(), {})

    def test_series_of_metrics_are_counted_and_new_ones_refused(self):
        metric = {"metrics": {"lines": {"type": "Counter", "config": {"match_all": True, "action": "inc"}}}}
        self.path = self.dir / "app.log"
        self.receiver = self.sink()
        write_lines(self.path, lines(0, VALUES))
        config = base_config(
            self.dir,
            self.receiver.url,
            [file_job(self.path, stages=[*STAGES, metric])],
            limits_config={"on_excess": "drop_label"},
        )
        self.agent = self.start(config).wait_ready()
        wait_until("the lines came", lambda: self.receiver.taken_count() >= VALUES)

        metrics = self.agent.metrics()
        series = [labels for name, labels, _ in metrics.samples if name == "promtail_custom_lines"]
        self.assertEqual(len(series), LIMIT)
        self.assertEqual(metrics.sum("agent_custom_metrics_series", metric="promtail_custom_lines"), LIMIT)
        self.assertEqual(
            metrics.sum("agent_custom_metrics_series_exceeded_total", metric="promtail_custom_lines"), VALUES - LIMIT
        )
        self.assertIn("a metric has too many series", self.agent.log())


if __name__ == "__main__":
    harness.main()
