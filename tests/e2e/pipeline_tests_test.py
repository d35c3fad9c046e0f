#!/usr/bin/env python3
"""`agent test`: pipeline tests from YAML, as a user runs them."""

import json
import os
import stat
import xml.etree.ElementTree

import harness
from harness import run_agent

SOME = """\
# Above.
tests:
  - name: passes
    pipeline_stages:
      - drop: {expression: noise}
    lines: [one, noise]
    entries:
      - line: one
    metrics:
      'logentry_dropped_lines_total{reason="drop_stage"}': 1

  # Between.
  - name: fails
    pipeline_stages:
      - static_labels: {team: a}
    lines: [two, three]
    entries:
      - line: two  # as it came
        labels: {team: b}
      # This one is right.
      - line: three
        labels: {team: a}
"""


class PipelineTestsTest(harness.TestCase):
    def agent_test(self, *args, env=None):
        result = harness.subprocess.run(
            [harness.AGENT, "test", *map(str, args)],
            capture_output=True,
            cwd=self.dir,
            timeout=60,
            check=False,
            text=True,
            env={**os.environ, **(env or {})},
        )
        return result.returncode, result.stdout, result.stderr

    def write(self, text, name="some.yaml"):
        path = self.dir / name
        path.write_text(text)
        return path

    def test_the_projects_own_stage_tests_pass(self):
        files = sorted((harness.ROOT / "tests/pipelines").glob("*.yaml"))
        self.assertGreater(len(files), 20)

        result = harness.subprocess.run(
            [harness.AGENT, "test", "--strict", *map(str, files)],
            capture_output=True,
            cwd=harness.ROOT,
            timeout=120,
            check=False,
            text=True,
        )

        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, rf"^\d+ tests in {len(files)} files: \d+ passed\n$")

    def test_the_example_passes(self):
        code, out, err = self.agent_test("-v", harness.ROOT / "examples/nginx/test.yaml")
        self.assertEqual(code, 0, out + err)
        self.assertIn("nginx/test.yaml:6: method and status are labels, the time is the line's own\n", out)

    def test_what_fails_is_shown_and_the_exit_code_is_1(self):
        path = self.write(SOME)
        code, out, err = self.agent_test(path)
        self.assertEqual((code, err), (1, ""))
        self.assertEqual(
            out,
            f"FAILED   {path}:13: fails\n"
            "  entry 1 (line 18)\n"
            '    - labels.team: "b"\n'
            '    + labels.team: "a"\n'
            "\n"
            "2 tests in 1 file: 1 passed, 1 failed\n",
        )
        self.assertEqual(self.agent_test("--run", "^pass", path)[0], 0)
        self.assertIn("ok       ", self.agent_test("--run=^pass", "-v", path)[1])
        self.assertIn("\x1b[31m- labels.team", self.agent_test("--color", path)[1])

    def test_update_rewrites_what_failed_and_nothing_else(self):
        path = self.write(SOME)
        path.chmod(0o640)

        code, out, _ = self.agent_test("--update", path)

        self.assertEqual(code, 0, out)
        self.assertIn(f"updated  {path}:13: fails\n", out)
        want = SOME.replace("      - line: two  # as it came\n        labels: {team: b}\n",
                            '      - line: "two"\n        labels: {team: "a"}\n')
        self.assertEqual(path.read_text(), want)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)
        self.assertEqual([p.name for p in self.dir.iterdir()], ["some.yaml"])
        self.assertEqual(self.agent_test(path)[0], 0)

    def test_an_update_that_has_nothing_to_do_leaves_the_file_alone(self):
        path = self.write(SOME.replace("team: b", "team: a"))
        before = path.stat()
        self.assertEqual(self.agent_test("--update", path)[0], 0)
        self.assertEqual((path.stat().st_ino, path.stat().st_mtime_ns), (before.st_ino, before.st_mtime_ns))

    def test_reports_for_tools(self):
        path = self.write(SOME)

        code, out, _ = self.agent_test("--output=json", path)
        self.assertEqual(code, 1)
        report = json.loads(out)
        self.assertEqual((report["passed"], report["failed"]), (1, 1))
        self.assertEqual(
            [(test["name"], test["status"], test["line"]) for test in report["tests"]],
            [("passes", "passed", 3), ("fails", "failed", 13)],
        )
        self.assertIn({"sign": "+", "text": 'labels.team: "a"'}, report["tests"][1]["difference"])

        code, out, _ = self.agent_test("--output", "junit", path)
        self.assertEqual(code, 1)
        suite = xml.etree.ElementTree.fromstring(out.encode()).find("testsuite")
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("2", "1"))
        self.assertIn('+ labels.team: "a"', suite.findall("testcase")[1].find("failure").text)

    def test_what_cannot_be_run_has_exit_code_2(self):
        good = self.write(SOME.replace("team: b", "team: a"), "good.yaml")
        bad = self.write("tests:\n  - name: a\n    pipeline_stages: []\n    lnes: []\n", "bad.yaml")
        for args, want in (
            ([], "no file of tests"),
            (["--updat", good], "did you mean -update?"),
            (["--output=xml", good], "expected text, json or junit"),
            (["--run", "(", good], "invalid value"),
            (["--run", "nothing has this name", good], "no test has a name that matches"),
            ([self.dir / "none.yaml"], "No such file"),
            ([bad], f"{bad}:4:5: tests[0]: unknown key 'lnes'"),
        ):
            code, _, err = self.agent_test(*args)
            self.assertEqual(code, 2, args)
            self.assertIn(want, err)
        # The others run all the same.
        code, out, err = self.agent_test(bad, good)
        self.assertEqual(code, 2)
        self.assertIn("2 tests in 1 file: 2 passed\n", out)

    def test_help(self):
        code, out, _ = self.agent_test("--help")
        self.assertEqual(code, 0)
        for flag in ("-run", "-update", "-strict", "-output", "-v"):
            self.assertIn(f"  {flag}", out)
        self.assertIn("agent test FILE", run_agent(self.dir, ["--help"]).stdout.decode())

    def test_time_passes_when_a_test_lets_it(self):
        path = self.write(
            "tests:\n"
            "  - name: a block ends when nothing more comes\n"
            "    time: 2025-01-01T00:00:00Z\n"
            "    pipeline_stages: [{multiline: {firstline: '^>', max_wait_time: 3s}}]\n"
            "    lines: ['> 1', ' a', {advance: 2s}, ' b', {advance: 4s}, ' c', '> 2']\n"
            "    entries:\n"
            '      - line: "> 1\\n a\\n b"\n'
            '      - {line: " c"}\n'  # With the time of the entry that it goes on.
            '      - {line: "> 2", timestamp: "2025-01-01T00:00:06Z"}\n'
            "  - name: a limit gives way\n"
            "    pipeline_stages: [{limit: {rate: 1, burst: 1, drop: true}}]\n"
            "    lines: [a, b, {advance: 1s}, c]\n"
            "    entries:\n"
            "      - line: a\n"
            '      - {line: c, timestamp: "2026-01-02T03:04:06Z"}\n'
            "  - name: lines that wait come out in the end\n"
            "    pipeline_stages: [{limit: {rate: 1, burst: 1}}]\n"
            "    lines: [a, b, c]\n"
            "    entries: [{line: a}, {line: b}, {line: c}]\n"
            "  - name: the pieces of a line are joined\n"
            "    pipeline_stages: [{cri: {}}]\n"
            "    lines: ['2023-05-06T00:00:01Z stdout P a', {advance: 1h}, '2023-05-06T00:00:02Z stdout F b']\n"
            "    entries: [{line: ab, timestamp: 2023-05-06T00:00:02Z, labels: {stream: stdout}}]\n"
            "  - name: docker\n"
            "    pipeline_stages: [{docker: {}}, {match: {selector: '{stream=\"stderr\"}', action: drop}}]\n"
            "    lines:\n"
            '      - \'{"log":"a\\n","stream":"stdout","time":"2023-05-06T07:08:09Z"}\'\n'
            '      - \'{"log":"b\\n","stream":"stderr","time":"2023-05-06T07:08:09Z"}\'\n'
            "    entries:\n"
            '      - {line: "a\\n", timestamp: 2023-05-06T07:08:09Z, labels: {stream: stdout}}\n'
            "    metrics: {'logentry_dropped_lines_total{reason=\"match_stage\"}': 1}\n"
        )
        code, out, err = self.agent_test(path)
        self.assertEqual(code, 0, out + err)

    def test_a_job_of_a_configuration_with_variables(self):
        self.write(
            "clients: [{url: 'http://loki/loki/api/v1/push'}]\n"
            "scrape_configs:\n"
            "  - job_name: a\n"
            "    pipeline_stages: [{static_labels: {zone: '${E2E_ZONE}'}}]\n"
            "    static_configs: [{labels: {app: a, __path__: /x}}]\n",
            "agent.yaml",
        )
        path = self.write(
            "config: agent.yaml\nexpand_env: true\n"
            "tests:\n  - name: n\n    lines: [x]\n    entries: [{line: x, labels: {app: a, zone: eu}}]\n"
        )
        self.assertEqual(self.agent_test(path, env={"E2E_ZONE": "eu"})[0], 0)
        self.assertEqual(self.agent_test(path, env={"E2E_ZONE": "us"})[0], 1)


if __name__ == "__main__":
    harness.main()
