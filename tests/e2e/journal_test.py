#!/usr/bin/env python3
"""The `journal` job against journals that systemd has written: what entries become, and that none is lost, whatever
becomes of the agent and of the files."""

import json
import os
import shutil
import signal

import harness
from harness import base_config, build_server, wait_until
from journals import Journal, now_us, require_writer

HOUR = 3600 * 10**6
RELABEL = [
    {"source_labels": ["__journal__systemd_unit"], "target_label": "unit"},
    {"source_labels": ["__journal_priority_keyword"], "target_label": "level"},
]


class JournalTest(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        require_writer()

    def setUp(self):
        super().setUp()
        self.receiver = self.sink()
        self.journal = self.make_journal(self.dir / "journal")

    def make_journal(self, directory, name="system"):
        journal = Journal(directory, name)
        self.addCleanup(journal.close)
        return journal

    def config(self, relabel=None, stages=None, url=None, **journal):
        job = {
            "job_name": "systemd",
            "journal": {"path": str(self.dir / "journal"), "labels": {"job": "systemd"}, **journal},
            "relabel_configs": relabel or [],
            "pipeline_stages": stages or [],
        }
        return base_config(self.dir, url or self.receiver.url, [job])

    def begin(self, **more):
        agent = self.start(self.config(**more))
        wait_until("it answers", lambda: agent.get("/metrics")[0] == 200)
        return agent

    def came(self):
        return [entry.line for entry in self.receiver.taken()]

    def wait_lines(self, wanted, timeout=30):
        """Exactly these, in order."""
        wait_until(
            lambda: f"{self.came()[-20:]} instead of {wanted[-20:]}",
            lambda: len(self.came()) >= len(wanted),
            timeout,
        )
        self.assertEqual(self.came(), wanted)

    def wait_all(self, wanted, timeout=30):
        """At least these, each once or more."""
        wait_until(
            lambda: f"missing {sorted(set(wanted) - set(self.came()))[:10]}",
            lambda: set(wanted) <= set(self.came()),
            timeout,
        )

    def stop(self, agent):
        self.assertEqual(agent.stop()[0], 0, agent.log())

    def forget(self):
        for file in self.dir.glob("positions.yaml*"):
            file.unlink()

    # --- What entries become.

    def test_labels_times_and_lines(self):
        start = now_us() - 60 * 10**6
        self.journal.write(
            {"MESSAGE": "one", "PRIORITY": "3", "_SYSTEMD_UNIT": "a.service"},
            {"MESSAGE": "two\nlines", "PRIORITY": "6", "_SYSTEMD_UNIT": "b.service"},
            {"MESSAGE": b"binary \x01\xfe", "_SYSTEMD_UNIT": "b.service"},
            {"PRIORITY": "6", "NOTE": "no message"},
            [("MESSAGE", "first"), ("MESSAGE", "last of several")],
            {"MESSAGE": ""},
            at=start,
        )
        agent = self.begin(relabel=RELABEL)

        wait_until("all came", lambda: len(self.came()) >= 5)
        by_time = sorted(self.receiver.taken(), key=lambda entry: entry.ts)
        self.assertEqual(
            [(entry.labels, entry.line) for entry in by_time],
            [
                ({"job": "systemd", "level": "error", "unit": "a.service"}, "one"),
                ({"job": "systemd", "level": "info", "unit": "b.service"}, "two\nlines"),
                ({"job": "systemd", "unit": "b.service"}, b"binary \x01\xfe".decode("utf-8", "surrogateescape")),
                ({"job": "systemd"}, "last of several"),
                ({"job": "systemd"}, ""),
            ],
        )
        self.assertEqual([entry.ts for entry in by_time], [(start + i) * 1000 for i in (0, 1, 2, 4, 5)])
        metrics = agent.metrics()
        self.assertEqual(metrics.sum("promtail_journal_target_lines_total"), 5)
        self.assertEqual(metrics.sum("promtail_journal_target_parsing_errors_total", error="no_message"), 1)
        self.assertEqual(agent.get("/ready")[0], 200)
        self.stop(agent)

    def test_json_has_all_fields(self):
        self.journal.write({"MESSAGE": "a<b>", "PRIORITY": "6", "_PID": "1", "BIN": b"\x00\xff"}, {"NOTE": "alone"})
        agent = self.begin(json=True)

        wait_until("all came", lambda: len(self.came()) >= 2)
        boot = '"_BOOT_ID":"0123456789abcdef0123456789abcdef"'
        self.assertEqual(
            self.came(),
            [
                '{"BIN":"\\u0000\\ufffd","MESSAGE":"a\\u003cb\\u003e","PRIORITY":"6",' + boot + ',"_PID":"1"}',
                '{"NOTE":"alone",' + boot + "}",
            ],
        )
        self.stop(agent)

    def test_matches_and_rules_choose_entries(self):
        for unit in ("a", "b", "c"):
            for transport in ("stdout", "kernel"):
                self.journal.write(
                    {"MESSAGE": f"{unit} {transport}", "_SYSTEMD_UNIT": f"{unit}.service", "_TRANSPORT": transport}
                )
        agent = self.begin(
            matches="_TRANSPORT=stdout _SYSTEMD_UNIT=a.service _SYSTEMD_UNIT=c.service",
            relabel=[{"source_labels": ["__journal__systemd_unit"], "regex": "c.*", "action": "drop"}],
        )

        wait_until(
            "the dropped one is counted",
            lambda: agent.metrics().sum("promtail_journal_target_parsing_errors_total", error="empty_labels") == 1,
        )
        self.wait_lines(["a stdout"])
        self.journal.write({"MESSAGE": "live", "_SYSTEMD_UNIT": "a.service", "_TRANSPORT": "stdout"})
        self.wait_lines(["a stdout", "live"])
        self.stop(agent)

    def test_max_age_is_where_it_begins(self):
        self.journal.write("ten hours", at=now_us() - 10 * HOUR)
        self.journal.write("six hours", at=now_us() - 6 * HOUR)
        self.journal.write("one hour", at=now_us() - HOUR)
        agent = self.begin()
        self.wait_lines(["six hours", "one hour"])
        self.stop(agent)

        self.forget()
        self.receiver = self.sink()
        agent = self.begin(max_age="2h")
        self.wait_lines(["one hour"])
        self.stop(agent)

    # --- Where it goes on.

    def test_goes_on_after_a_stop_without_repeating_anything(self):
        self.journal.write("one", "two")
        agent = self.begin()
        self.wait_lines(["one", "two"])
        self.stop(agent)
        self.assertRegex((self.dir / "positions.yaml").read_text(), r'cursor-systemd: "?s=[0-9a-f]+;i=2;')
        self.journal.write("three")
        agent = self.begin()
        self.wait_lines(["one", "two", "three"])
        self.journal.write("four")
        self.wait_lines(["one", "two", "three", "four"])
        self.stop(agent)

    def test_a_long_stop_loses_nothing_unless_max_age_is_set(self):
        self.journal.write("first", at=now_us() - 30 * HOUR)
        self.journal.write("second", at=now_us() - 20 * HOUR)
        self.journal.write("third", at=now_us() - HOUR)
        agent = self.begin(max_age="100h", matches="MESSAGE=first")
        self.wait_lines(["first"])
        self.stop(agent)
        cursor = (self.dir / "positions.yaml").read_bytes()

        agent = self.begin()
        self.wait_lines(["first", "second", "third"])
        self.stop(agent)

        self.forget()
        (self.dir / "positions.yaml").write_bytes(cursor)
        agent = self.begin(max_age="10h")
        self.wait_lines(["first", "second", "third", "third"])
        self.assertIn("entries older than max_age are skipped", agent.log())
        self.stop(agent)

    def test_kills_lose_nothing(self):
        wanted = [f"entry {n}" for n in range(20000)]
        for round_ in range(5):
            self.journal.write(*wanted[round_ * 4000 : (round_ + 1) * 4000])
            agent = self.begin()
            have = len(self.came())
            wait_until("more has come", lambda have=have: len(self.came()) > have)
            agent.kill()
        agent = self.begin()
        self.wait_all(wanted)
        wait_until("all is settled", lambda: agent.metrics().sum("agent_ledger_in_flight_bytes") == 0)
        self.stop(agent)
        count = len(self.came())

        agent = self.begin()
        self.journal.write("the last")
        self.wait_all(["the last"])
        self.assertEqual(len(self.came()), count + 1)
        self.stop(agent)

    def test_a_kill_repeats_nothing_that_was_settled(self):
        self.journal.write("one", "two")
        config = self.config()
        config["positions"]["sync_period"] = "1h"
        agent = self.start(config)
        self.wait_lines(["one", "two"])
        # The next one is taken only when the answer to the ones before it has come.
        self.journal.write("three")
        self.wait_lines(["one", "two", "three"])
        agent.kill()
        agent = self.begin()
        self.journal.write("four")
        wait_until("it goes on", lambda: "four" in self.came())
        self.assertEqual(self.came().count("one"), 1)
        self.assertEqual(self.came().count("two"), 1)
        self.stop(agent)

    def test_what_is_not_delivered_is_not_passed(self):
        self.journal.write("one")
        agent = self.begin(url="http://127.0.0.1:1/loki/api/v1/push")
        wait_until("it is read", lambda: agent.metrics().sum("promtail_journal_target_lines_total") == 1)
        self.stop(agent)
        agent = self.begin()
        self.wait_lines(["one"])
        self.stop(agent)

    # --- What becomes of the files.

    def test_rotation_is_followed(self):
        agent = self.begin()
        wanted = []
        for round_ in range(4):
            lines = [f"{round_} {n}" for n in range(50)]
            self.journal.write(*lines)
            wanted += lines
            self.journal.rotate()
        self.wait_lines(wanted)
        self.stop(agent)

    def test_rotation_and_vacuum_while_it_is_down(self):
        self.journal.write("one", "two")
        agent = self.begin()
        self.wait_lines(["one", "two"])
        self.stop(agent)
        self.journal.rotate().unlink()
        self.journal.write("three", "four")
        agent = self.begin()
        self.wait_lines(["one", "two", "three", "four"])
        self.assertIn("not there any more", agent.log())
        self.stop(agent)

    def test_files_are_deleted_while_they_are_read(self):
        agent = self.begin()
        self.journal.write("one")
        self.wait_lines(["one"])
        self.journal.rotate().unlink()
        self.journal.write("two")
        self.wait_lines(["one", "two"])
        shutil.move(self.dir / "journal", self.dir / "moved")
        self.journal.finish()
        self.journal = self.make_journal(self.dir / "journal")
        self.journal.write("three")
        self.wait_lines(["one", "two", "three"])
        self.stop(agent)

    def test_a_file_that_is_cut_off_while_it_is_read(self):
        wanted = [f"{n} {'x' * 500}" for n in range(20000)]
        self.journal.write(*wanted)
        self.journal.wait_written(len(wanted))
        self.journal.finish()
        other = self.make_journal(self.dir / "journal", "other")
        agent = self.begin(stages=[{"limit": {"rate": 500, "burst": 500}}])
        wait_until("it reads", lambda: agent.metrics().sum("promtail_journal_target_lines_total") > 0)
        os.truncate(self.journal.path, self.journal.path.stat().st_size // 2)
        other.write("of the other file")
        wait_until(lambda: f"{len(self.came())} came", lambda: "of the other file" in self.came(), 60)
        agent.check_running()
        self.assertGreater(agent.metrics().sum("promtail_journal_target_parsing_errors_total", error="damaged"), 0)
        self.stop(agent)

    def test_a_damaged_file_is_named_and_the_others_are_read(self):
        self.journal.write(*[f"entry {n}" for n in range(100)])
        self.journal.finish()
        damaged = self.dir / "journal" / "damaged.journal"
        damaged.write_bytes(self.journal.path.read_bytes()[:20000])
        noise = self.dir / "journal" / "noise.journal"
        noise.write_bytes(os.urandom(100000))
        agent = self.begin()
        self.wait_lines([f"entry {n}" for n in range(100)])
        self.assertIn("2 of 3 journal files cannot be read", agent.log())
        status, page = agent.get("/targets?format=json")
        self.assertEqual(status, 200)
        shown = json.loads(page)["jobs"][0]["targets"][0]["files"][0]
        self.assertIn("2 of 3 journal files cannot be read", shown["state"])
        self.assertEqual(agent.get("/ready")[0], 200)
        self.stop(agent)

    def test_entries_with_damage_inside_do_not_stop_it(self):
        self.journal.write(*[{"MESSAGE": f"entry {n}", "PAD": "y" * 300} for n in range(2000)])
        self.journal.finish()
        data = bytearray(self.journal.path.read_bytes())
        for at in range(len(data) // 3, len(data) // 2, 4096):
            data[at : at + 64] = b"\xa5" * 64
        self.journal.path.write_bytes(data)
        agent = self.begin()
        other = self.make_journal(self.dir / "journal", "other")
        other.write("after the damage")
        wait_until(lambda: f"{len(self.came())} came", lambda: "after the damage" in self.came())
        agent.check_running()
        self.stop(agent)

    def test_a_folder_that_comes_later(self):
        agent = self.start(self.config(path=str(self.dir / "later")))
        wait_until("it says so", lambda: "the journal cannot be read" in agent.log())
        wait_until("not ready", lambda: agent.get("/ready")[0] == 503)
        self.assertIn("No such file", agent.get("/ready")[1])
        later = self.make_journal(self.dir / "later")
        later.write("at last")
        self.wait_lines(["at last"])
        wait_until("ready", lambda: agent.get("/ready")[0] == 200)
        self.stop(agent)

    def test_without_permission_it_says_what_to_do_and_goes_on_with_it(self):
        if os.getuid() != 0:
            self.skipTest("needs root, to become somebody else")
        self.journal.write("secret")
        self.journal.finish()
        self.journal.path.chmod(0o600)
        self.dir.chmod(0o777)
        agent = self.start(self.config(), prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
        wait_until("it says so", lambda: "group systemd-journal" in agent.log())
        wait_until("not ready", lambda: agent.get("/ready")[0] == 503)
        self.assertIn("1 of 1 journal files cannot be read", agent.get("/ready")[1])
        self.journal.path.chmod(0o644)
        self.wait_lines(["secret"])
        self.stop(agent)

    def test_a_reload_goes_on_where_it_was(self):
        agent = self.begin()
        self.journal.write("one")
        self.wait_lines(["one"])
        agent.write_config(self.config(relabel=RELABEL))
        agent.process.send_signal(signal.SIGHUP)
        self.journal.write({"MESSAGE": "two", "PRIORITY": "4"})
        self.wait_lines(["one", "two"])
        wait_until("reloaded", lambda: agent.metrics().sum("promtail_config_reload_success_total") == 1)
        self.journal.write({"MESSAGE": "three", "PRIORITY": "4"})
        self.wait_lines(["one", "two", "three"])
        self.assertEqual(self.receiver.taken()[-1].labels["level"], "warning")
        self.stop(agent)

    def test_an_idle_journal_costs_nothing(self):
        agent = self.begin()
        self.journal.write("one")
        self.wait_lines(["one"])
        before = agent.cpu_seconds()
        agent.runs_for(3)
        if not harness.SANITIZED:
            self.assertLess(agent.cpu_seconds() - before, 0.1)
        self.stop(agent)

    # --- Against Promtail.

    def answer(self, binary, name, last, **config):
        """What comes of the journal by this program, and what it counts. `last`: how many entries it must be."""
        self.receiver = self.sink()
        agent = self.start(self.config(**config), name=name, binary=binary)
        wait_until("its metrics", lambda: agent.get("/metrics")[0] == 200)
        wait_until(lambda: f"{self.came()}", lambda: len(self.came()) >= last)
        metrics = agent.metrics()
        counted = {
            kind: metrics.sum("promtail_journal_target_parsing_errors_total", error=kind)
            for kind in ("no_message", "empty_labels")
        }
        counted["lines"] = metrics.sum("promtail_journal_target_lines_total")
        agent.stop()
        return sorted((entry.ts, sorted(entry.labels.items()), entry.line) for entry in self.receiver.taken()), counted

    def test_promtail_says_the_same(self):
        promtail = build_server("promtail-journal")
        # (A label whose name is one letter makes Promtail crash.)
        self.journal.write(
            {"MESSAGE": "one", "PRIORITY": "3", "_SYSTEMD_UNIT": "a.service", "_PID": "1"},
            {"MESSAGE": "drop me", "DROP": "yes"},
            {"MESSAGE": b"binary \x00\x01\xfe <&>\xe2\x80\xa8 \x7f \x08\x0c", "EMPTY": ""},
            {"NOTE": "no message"},
            [("MESSAGE", "first"), ("MESSAGE", "last of several"), ("AA", "1"), ("AA", "2")],
            {"MESSAGE": "", "PRIORITY": ""},
            {"MESSAGE": "two\nlines", "PRIORITY": "9", "SYSLOG_IDENTIFIER": "x y"},
        )
        self.journal.finish()
        rules = [
            {"source_labels": ["__journal_drop"], "regex": "yes", "action": "drop"},
            {"source_labels": ["__journal_priority_keyword"], "target_label": "level"},
            {"action": "labelmap", "regex": "__journal_(aa|empty|priority|syslog_identifier|_systemd_unit)"},
        ]
        for journal, last in (
            ({}, 5),
            ({"json": True}, 6),
            ({"matches": "PRIORITY=3 PRIORITY=9"}, 2),
            ({"labels": {"__journal_aa": "mine"}, "max_age": "1h"}, 4),
        ):
            with self.subTest(journal=journal):
                self.forget()
                ours = self.answer(harness.AGENT, "ours", last, relabel=rules, **journal)
                self.forget()
                self.assertEqual(ours, self.answer(promtail, "promtail", last, relabel=rules, **journal))

    def test_promtail_and_the_agent_take_over_from_one_another(self):
        promtail = build_server("promtail-journal")
        for number, binary in enumerate((promtail, harness.AGENT, promtail, harness.AGENT)):
            self.journal.write(f"entry {number}")
            self.journal.wait_written(number + 1)
            entries, _ = self.answer(binary, f"run{number}", 2 if binary == promtail and number > 0 else 1)
            # Promtail begins with the entry that it has already sent, also after itself.
            repeated = [f"entry {number - 1}"] if binary == promtail and number > 0 else []
            self.assertEqual([line for _, _, line in entries], [*repeated, f"entry {number}"])


if __name__ == "__main__":
    harness.main()
