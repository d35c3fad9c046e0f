#!/usr/bin/env python3
"""The pages in a browser: on a phone and on a screen, light and dark, without scripts."""

import json
import os

import harness
from browser import Browser
from harness import base_config, file_job, wait_until, write_lines

LONG = "a" * 180


class PagesTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.receiver = self.sink()
        logs = self.dir / "logs"
        logs.mkdir()
        self.log = logs / f"app-{'x' * 60}.log"
        write_lines(self.log, [f"line {n}" for n in range(1000)])
        (self.dir / "broken.yml").write_text("- targets: {}\n")
        rules = [
            {"source_labels": ["drop_me"], "regex": "yes", "action": "drop"},
            {"source_labels": ["__meta_owner"], "target_label": "owner"},
        ]
        first = file_job(logs / "*.log", name="first", labels={"long": LONG, "__meta_owner": "<b>ops</b>", "html": "</code><script>"})
        first["static_configs"].append({"targets": ["x"], "labels": {"drop_me": "yes", "__path__": "/nothing"}})
        first["relabel_configs"] = rules
        first["file_sd_configs"] = [{"files": [str(self.dir / "broken.yml")]}]
        second = file_job(logs / "*.none", name="second job & more")
        self.agent = self.start(base_config(self.dir, self.receiver.url, [first, second])).wait_ready()
        wait_until("all has come", lambda: self.receiver.taken_count() == 1000)
        wait_until("all is settled", lambda: self.file()["lag_bytes"] == 0)

    def file(self):
        return json.loads(self.agent.get("/targets?format=json&job=first")[1])["jobs"][0]["targets"][0]["files"][0]

    def url(self, path):
        return f"http://127.0.0.1:{self.agent.port}{path}"

    def test_programs_get_all_of_a_file_and_of_discovery(self):
        info = os.stat(self.log)
        file = self.file()
        self.assertEqual(file["path"], str(self.log))
        self.assertEqual((file["device"], file["inode"], file["size_bytes"]), (info.st_dev, info.st_ino, info.st_size))
        self.assertEqual((file["read_bytes"], file["settled_bytes"], file["lag_seconds"]), (info.st_size, info.st_size, 0))
        self.assertRegex(file["source_id"], r"^[0-9a-f]{16}\.0$")
        self.assertEqual(file["last_error"], "")

        # Nobody takes what comes now: it lies there, and gets older.
        self.receiver.stall()
        write_lines(self.log, ["one more"])
        older = wait_until("the lag grows", lambda: self.file()["lag_seconds"] > 0.5 and self.file())
        self.assertEqual(older["lag_bytes"], len("one more\n"))
        self.receiver.flow()
        wait_until("no lag", lambda: self.file()["lag_seconds"] == 0)

        job = json.loads(self.agent.get("/service-discovery?format=json&job=first")[1])["jobs"]
        self.assertEqual(len(job), 1)
        self.assertEqual(job[0]["targets"][0]["discovered_labels"]["__meta_owner"], "<b>ops</b>")
        self.assertEqual(job[0]["targets"][0]["labels"]["owner"], "<b>ops</b>")
        self.assertEqual((job[0]["dropped"][0]["reason"], job[0]["dropped"][0]["rule"]), ("dropped", "relabel_configs[0] (action drop)"))
        self.assertIn("broken.yml:1:12", job[0]["problems"][0])

    def test_pages_fit_a_phone_and_a_screen_light_and_dark(self):
        browser = Browser(self.dir / "profile")
        self.addCleanup(browser.close)
        browser.disable_scripts()
        backs = set()
        for path in ("/targets", "/service-discovery", "/ledger", "/config", "/outputs"):
            for width in (390, 1280):
                for dark in (False, True):
                    browser.look(width, dark=dark)
                    browser.open(self.url(path))
                    name = f"{path[1:]}-{width}-{'dark' if dark else 'light'}"
                    with self.subTest(name):
                        self.assertLessEqual(browser.ask("document.documentElement.scrollWidth"), width)
                        backs.add((dark, browser.ask("getComputedStyle(document.body).backgroundColor")))
                    if pictures := os.environ.get("PICTURES"):
                        browser.picture(f"{pictures}/{name}.png")
        self.assertEqual(len(backs), 2, backs)

    def test_a_job_is_chosen_without_scripts(self):
        browser = Browser(self.dir / "profile")
        self.addCleanup(browser.close)
        browser.look(390)
        browser.disable_scripts()
        for path in ("/targets", "/service-discovery"):
            browser.open(self.url(path))
            self.assertIn("first", browser.ask("document.querySelector('main').innerText.replace(/all.*/, '')"))
            browser.ask("document.querySelector('select').value = 'second job & more'")
            browser.submit("document.querySelector('form button').click()")
            self.assertTrue(browser.ask("location.href").endswith(path + "?job=second+job+%26+more"))
            heads = browser.ask("[...document.querySelectorAll('h2, h3')].map(e => e.innerText).join()")
            self.assertIn("second job & more", heads)
            self.assertNotIn("first", heads)
            self.assertEqual(browser.ask("document.querySelector('select').value"), "second job & more")


if __name__ == "__main__":
    harness.main()
