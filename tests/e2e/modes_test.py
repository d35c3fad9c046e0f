#!/usr/bin/env python3
"""The command line: flags in both styles, --dry-run, --stdin, --check-syntax, --help, --version."""

import json
import re

import harness
from harness import base_config, file_job, run_agent, wait_until, write_lines

PLAIN = re.compile(rb"^(\S+)\t(\{.*?\})\t(.*)$")


class ModesTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.dir / "app.log"

    def config(self, url="http://127.0.0.1:1/loki/api/v1/push", stages=None):
        return base_config(self.dir, url, [file_job(self.path, stages=stages)])

    # --- dry run

    def test_dry_run_prints_entries_and_touches_no_positions(self):
        lines = ["first", "tab\tinside", "  spaces  ", 'quote " and \\', "x" * 64]
        write_lines(self.path, lines)
        out = self.dir / "out"
        with open(out, "wb") as stdout:
            config = self.dir / "c.yaml"
            config.write_text(json.dumps(self.config()))
            process = harness.subprocess.Popen(
                [harness.AGENT, "--config.file", str(config), "--dry-run"],
                stdout=stdout,
                stderr=harness.subprocess.PIPE,
                cwd=self.dir,
            )
        try:
            wait_until("all lines are printed", lambda: out.read_bytes().count(b"\n") >= len(lines))
        finally:
            process.terminate()
        diagnostics = process.communicate(timeout=20)[1]

        self.assertEqual(process.returncode, 0)
        got = [PLAIN.match(line) for line in out.read_bytes().splitlines()]
        self.assertNotIn(None, got, out.read_bytes())
        self.assertEqual([match.group(3).decode() for match in got], lines)
        labels = f'{{filename="{self.path}", job="test"}}'
        self.assertEqual({match.group(2).decode() for match in got}, {labels})
        self.assertTrue(all(re.match(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d{4}$", m.group(1)) for m in got))
        self.assertIn(b"Clients configured:", diagnostics)
        self.assertFalse((self.dir / "positions.yaml").exists())

    def test_stdin_dry_run_prints_every_line_also_the_last_without_newline(self):
        text = b"".join(b"line %d\n" % n for n in range(2000)) + b"\r\n\nlast without newline"

        result = run_agent(self.dir, ["--stdin", "--dry-run"], self.config(), text)

        self.assertEqual(result.returncode, 0, result.stderr)
        lines = [PLAIN.match(line).group(3) for line in result.stdout.splitlines()]
        self.assertEqual(lines, [b"line %d" % n for n in range(2000)] + [b"last without newline"])
        self.assertNotIn(b"\x1b", result.stdout)

    def test_stdin_dry_run_runs_the_pipeline(self):
        stages = [
            {"json": {"expressions": {"level": None, "message": None, "ts": "time"}}},
            {"timestamp": {"source": "ts", "format": "RFC3339Nano"}},
            {"labels": {"level": None}},
            {"output": {"source": "message"}},
        ]
        line = b'{"time":"2025-10-23T14:32:15.5Z","level":"info","message":"hello"}\n'

        result = harness.subprocess.run(
            [harness.AGENT, "-config.file", "c.json", "-stdin", "-dry-run"],
            input=line,
            capture_output=True,
            cwd=self.write_config(self.config(stages=stages)),
            env={**harness.os.environ, "TZ": "UTC"},
            timeout=30,
            check=False,
        )

        self.assertEqual(result.returncode, 0, result.stderr)
        when, labels, text = result.stdout.rstrip(b"\n").split(b"\t")
        self.assertEqual(when, b"2025-10-23T14:32:15.5+0000")
        self.assertIn(b'level="info"', labels)
        self.assertIn(b'job="test"', labels)
        self.assertEqual(text, b"hello")

    def write_config(self, config):
        (self.dir / "c.json").write_text(json.dumps(config))
        return self.dir

    def test_stdin_ships_without_dry_run(self):
        sink = self.sink()

        result = run_agent(self.dir, ["--stdin"], self.config(sink.url), b"".join(b"line %d\n" % n for n in range(3000)))

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(sink.lines(), [f"line {n}" for n in range(3000)])

    def test_stdin_may_stand_in_the_configuration(self):
        sink = self.sink()
        config = {**self.config(sink.url), "target_config": {"stdin": True}}

        result = run_agent(self.dir, [], config, b"one\r\n\nlast")

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(sink.lines(), ["one", "last"])

    # --- check syntax

    def test_every_example_is_a_valid_configuration(self):
        for path in sorted((harness.ROOT / "examples").glob("*/agent.yaml")):
            with self.subTest(str(path)):
                result = run_agent(self.dir, [f"-config.file={path}", "-config.expand-env=true", "-check-syntax"])
                self.assertEqual(result.returncode, 0, result.stderr.decode())
                self.assertNotIn(b"warn", result.stderr.lower())

    def test_check_syntax_names_every_problem_with_its_place(self):
        bad = self.dir / "bad.yaml"
        bad.write_text(
            "clients:\n"
            "  - url: http://localhost/loki/api/v1/push\n"
            "    batchwait: 1 parsec\n"
            "scrape_configs:\n"
            "  - job_name: a\n"
            "    pipeline_stages:\n"
            "      - regexx: {expression: '(?P<a>x)'}\n"
            "      - regex: {expression: '(?P<a>x'}\n"
            "    static_configs:\n"
            "      - labels: {__path__: /var/log/*.log}\n"
            "positons: {}\n"
        )

        result = run_agent(self.dir, [f"--config.file={bad}", "--check-syntax"])

        self.assertEqual(result.returncode, 1)
        text = (result.stdout + result.stderr).decode()
        for place in (":3:", ":7:", ":8:", ":11:"):
            self.assertIn(f"bad.yaml{place}", text)
        self.assertIn("did you mean 'regex'?", text)
        self.assertIn("did you mean 'positions'?", text)

    def test_a_bad_configuration_does_not_start(self):
        result = run_agent(self.dir, [], "clients: [{url: 5, nmae: x}]\n")
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"did you mean 'name'?", result.stderr)

    def test_a_file_that_is_not_there(self):
        result = run_agent(self.dir, ["-config.file=/nonexistent/x.yaml"])
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"/nonexistent/x.yaml", result.stderr)

    # --- flags

    def test_version_and_help(self):
        version = run_agent(self.dir, ["--version"])
        self.assertEqual(version.returncode, 0)
        self.assertRegex(version.stdout, rb"\d+\.\d+\.\d+")
        for flag in ("-help", "--help"):
            text = run_agent(self.dir, [flag])
            self.assertIn(b"config.file", text.stdout)
            self.assertIn(b"dry-run", text.stdout)

    def test_an_unknown_flag_is_refused(self):
        result = run_agent(self.dir, ["--confg.file=x"])
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"config.file", result.stderr)

    def test_flags_win_over_the_file(self):
        sink = self.sink()
        write_lines(self.path, ["one"])
        other = self.dir / "elsewhere.yaml"
        agent = self.start(self.config(sink.url), args=["--positions.file", str(other), "-client.external-labels=zone=a,rack=b"])
        wait_until("the line came", lambda: sink.lines() == ["one"])
        self.assertEqual(agent.stop()[0], 0)
        self.assertTrue(other.exists())
        self.assertFalse((self.dir / "positions.yaml").exists())
        labels = sink.taken()[0].labels
        self.assertEqual((labels["zone"], labels["rack"]), ("a", "b"))

    def test_environment_is_expanded_on_request(self):
        sink = self.sink()
        write_lines(self.path, ["one"])
        config = self.config(sink.url)
        config["scrape_configs"][0]["static_configs"][0]["labels"]["zone"] = "${E2E_ZONE:-none}-x"
        self.start(config, args=["-config.expand-env=true"], env={"E2E_ZONE": "eu"})
        wait_until("the line came", lambda: sink.lines() == ["one"])
        self.assertEqual(sink.taken()[0].labels["zone"], "eu-x")


if __name__ == "__main__":
    harness.main()
