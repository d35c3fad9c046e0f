#!/usr/bin/env python3
"""--inspect: what every stage did to every entry, as text on a terminal and in a pipe, and as JSON."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading

import harness
from harness import base_config, file_job, run_agent, wait_until, write_lines

COLOR = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """The agent on a pseudo-terminal of so many columns; its input is a file."""

    def __init__(self, directory, args, stdin=b"", columns=80, env=None):
        source = directory / "stdin"
        source.write_bytes(stdin)
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        environment = {**os.environ, "TZ": "UTC", "TERM": "xterm", **(env or {})}
        if not env or "NO_COLOR" not in env:
            environment.pop("NO_COLOR", None)
        with open(source, "rb") as stdin_file:
            self.process = subprocess.Popen(
                [harness.AGENT, *args], stdin=stdin_file, stdout=slave, stderr=slave, cwd=directory, env=environment
            )
        os.close(slave)
        self.text = ""
        self._reader = threading.Thread(target=self._read, args=(master,))
        self._reader.start()

    def _read(self, master):
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:  # How Linux says that nobody has the other side open.
                break
            if not data:
                break
            self.text += data.decode("utf-8", "replace").replace("\r\n", "\n")
        os.close(master)

    def wait(self):
        self.process.wait(30)
        self._reader.join(30)
        return self.text


class InspectTest(harness.TestCase):
    def config(self, stages, path=None, url="http://127.0.0.1:1/loki/api/v1/push", **more):
        return base_config(self.dir, url, [file_job(path or self.dir / "none.log", stages=stages)], **more)

    def stdin(self, stages, text, *args, config=None):
        """(entries, what was told) of one run over standard input."""
        result = run_agent(
            self.dir, ["--stdin", "--dry-run", *args, "-log.level=error"], config or self.config(stages), text
        )
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        entries = [line.split(b"\t", 2)[2].decode() for line in result.stdout.splitlines() if line]
        stderr = result.stderr.decode()
        at = stderr.find("\n== ")
        return entries, stderr[at:] if at >= 0 else stderr

    # --- text

    def test_entries_stay_alone_on_standard_output(self):
        stages = [{"drop": {"expression": "noise"}}, {"static_labels": {"team": "a"}}]

        for flag in ("--inspect", "-inspect", "--inspect=text", "-inspect=true"):
            entries, told = self.stdin(stages, b"one\nnoise\ntwo\n", flag)

            self.assertEqual(entries, ["one", "two"])
            self.assertIn("== stdin:2 (job test)\n   noise\n", told)
            self.assertIn("   0.drop           dropped (drop_stage)\n", told)
            self.assertIn('   1.static_labels  + label team="a"\n', told)
        self.assertNotIn("==", self.stdin(stages, b"one\n", "-inspect=false")[1])

    def test_a_wrong_value_is_refused(self):
        result = run_agent(self.dir, ["--inspect=yaml"])
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"expected text, json, true or false", result.stderr)

    def test_help_speaks_of_it(self):
        text = run_agent(self.dir, ["--help"]).stdout.decode()
        self.assertIn("-inspect[=text|json]", text)
        self.assertNotIn("not built", text)

    def test_in_one_pipe_each_story_stands_right_above_its_entry(self):
        config = self.dir / "c.json"
        config.write_text(json.dumps(self.config([{"regex": {"expression": "n(?P<n>\\d+)"}}, {"labels": {"n": None}}])))
        lines = b"".join(b"n%d\n" % n for n in range(3000))

        result = subprocess.run(
            [harness.AGENT, f"-config.file={config}", "--stdin", "--dry-run", "--inspect", "-log.level=error"],
            input=lines,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=True,
        )

        shown = re.findall(r"^== stdin:(\d+) |^\S+\t\{[^\t]*\}\tn(\d+)$", result.stdout.decode(), re.M)
        want = [pair for n in range(3000) for pair in ((str(n + 1), ""), ("", str(n)))]
        self.assertEqual(shown, want)

    def test_docker_and_cri_and_the_stages_in_a_match(self):
        docker, told = self.stdin(
            [
                {"docker": {}},
                {
                    "match": {
                        "selector": '{stream="stderr"}',
                        "stages": [{"json": {"expressions": {"level": None}}}, {"labels": {"level": None}}],
                    }
                },
            ],
            b'{"log":"{\\"level\\":\\"warn\\"}\\n","stream":"stderr","time":"2023-05-06T07:08:09.1Z"}\n'
            b'{"log":"plain\\n","stream":"stdout","time":"2023-05-06T07:08:10Z"}\n',
            "--inspect",
        )
        self.assertEqual(docker[0], '{"level":"warn"}')
        for row in (
            '0.docker         + line {"level":"warn"}\\n',
            '+ label stream="stderr"',
            '+ extracted output \'{"level":"warn"}\\n\'',
            '1.match > 0.json + extracted level "warn"',
            '1.match > 1.labels + label level="warn"',
            "1.match: not selected",
        ):
            self.assertIn(row, re.sub(r"\n {19,}", " ", told))

        cri, told = self.stdin(
            [{"cri": {}}],
            b"2023-05-06T00:00:01Z stdout P one-\n2023-05-06T00:00:02Z stdout F two\n2023-05-06T00:00:03Z stdout P open\n",
            "--inspect",
        )
        self.assertEqual(cri, ["one-two", "open"])
        self.assertEqual(told.count("kept back: waits for the rest of the line"), 2)
        self.assertIn("joined with 1 line kept back before: 1\n", told)
        self.assertIn("comes out, 1 line: the input has ended\n", told)

    def test_multiline_and_pack(self):
        entries, told = self.stdin(
            [{"multiline": {"firstline": "^#"}}, {"pack": {"labels": ["job"]}}],
            b"# one\n  a\n# two\n",
            "--inspect",
        )

        self.assertEqual([json.loads(entry)["_entry"] for entry in entries], ["# one\n  a", "# two"])
        self.assertIn("becomes part of line 1\n", told)
        self.assertIn("kept back: waits for more lines of its entry\n", told)
        self.assertIn("comes out, 1 line: the input has ended\n", told)
        self.assertIn('1.pack           + line {"job":"test","_entry":"# two"}\n', told)
        self.assertIn('- label job="test"\n', told)

    def test_every_example_can_be_inspected(self):
        for path in sorted((harness.ROOT / "examples").glob("*/agent.yaml")):
            with self.subTest(path.parent.name):
                terminal = Terminal(
                    self.dir,
                    [f"-config.file={path}", "-config.expand-env=true", "--stdin", "--dry-run", "--inspect"],
                    b'plain\n{"level":"info","team":"a"}\n' + b"x" * 5000 + b"\n",
                )
                self.assertIn("== stdin:3 (job ", COLOR.sub("", terminal.wait()))
                self.assertEqual(terminal.process.returncode, 0)

    # --- on a terminal

    STAGES = [
        {"regex": {"expression": "level=(?P<level>\\w+)"}},
        {"labels": {"level": None}},
        {"replace": {"expression": "(\\S+@\\S+)", "replace": "***"}},
        {"drop": {"source": "level", "value": "debug"}},
    ]
    LINES = b"level=info " + b"x" * 300 + b" ann@example.com " + b"y" * 300 + b"\nlevel=debug\n"

    def terminal(self, *args, **more):
        path = self.dir / "c.json"
        path.write_text(json.dumps(self.config(self.STAGES)))
        arguments = [f"-config.file={path}", "--stdin", "--dry-run", "--inspect", "-log.level=error", *args]
        return Terminal(self.dir, arguments, self.LINES, **more).wait()

    def test_on_a_terminal_rows_fit_and_are_coloured(self):
        for columns in (80, 120):
            text = self.terminal(columns=columns)

            self.assertIn("\x1b[1m== stdin:1 (job test)\x1b[0m\n", text)
            self.assertIn("\x1b[1;31mdropped (drop_stage)\x1b[0m\n", text)
            rows = [row for row in COLOR.sub("", text).splitlines() if row.startswith("   ")]
            self.assertEqual([row for row in rows if len(row) > columns], [])
            self.assertTrue(any(row.endswith("...(628 bytes)") for row in rows), rows)
            self.assertTrue(any("ann@example.com" in row for row in rows), rows)

    def test_colours_can_be_switched_off(self):
        self.assertNotIn("\x1b", self.terminal(env={"NO_COLOR": "1"}))
        self.assertNotIn("\x1b", self.terminal("-no-color"))

    # --- files

    def test_a_line_of_a_file_is_told_with_its_place(self):
        path = self.dir / "app.log"
        write_lines(path, ["first", "second line"])
        config = self.dir / "c.json"
        config.write_text(json.dumps(self.config([{"static_labels": {"a": "b"}}], path)))
        out = self.dir / "told"
        with open(out, "wb") as told:
            process = subprocess.Popen(
                [harness.AGENT, f"-config.file={config}", "--dry-run", "--inspect"],
                stdout=subprocess.DEVNULL,
                stderr=told,
            )
        try:
            wait_until("both lines are told", lambda: b"second line" in out.read_bytes())
            write_lines(path, ["third"])
            wait_until("the third one is told", lambda: b"third" in out.read_bytes())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)

        told = out.read_text()
        name = str(path)
        for place in (":1, offset 0", ":2, offset 6", ":3, offset 18"):
            self.assertIn(f"{name}{place} (job test)\n", told)
        self.assertFalse((self.dir / "positions.yaml").exists())

    def test_without_a_dry_run_it_ships_and_tells_all_on_standard_error(self):
        sink = self.sink()
        result = run_agent(
            self.dir,
            ["--stdin", "--inspect"],
            self.config([{"static_labels": {"a": "b"}}], url=sink.url),
            b"one\ntwo\n",
        )
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(sink.lines(), ["one", "two"])
        self.assertEqual(result.stdout, b"")
        self.assertRegex(result.stderr.decode(), r"== stdin:2 (?s:.)*\+ label a=\"b\"\n\S+\t\{.*\}\ttwo\n")

    def test_a_dry_run_prints_jobs_that_send_to_some_outputs_only(self):
        config = self.config([])
        config["clients"][0]["name"] = "here"
        config["scrape_configs"][0]["outputs"] = ["here"]
        self.assertEqual(self.stdin([], b"one\n", config=config)[0], ["one"])

    # --- JSON

    def test_json_has_an_object_for_each_stage_and_entry(self):
        stages = [
            {"json": {"expressions": {"code": None}}},
            {"match": {"selector": '{job="test"}', "stages": [{"labels": {"code": None}}]}},
            {"drop": {"source": "code", "value": "404", "drop_counter_reason": "gone"}},
        ]
        entries, told = self.stdin(stages, b'{"code":200}\n{"code":404}\n', "--inspect=json")

        self.assertEqual(entries, ['{"code":200}'])
        objects = [json.loads(line) for line in told.splitlines() if line.startswith('{"inspect"')]
        self.assertEqual(
            [(one["inspect"], one["entry"], one.get("stage"), one["outcome"]) for one in objects],
            [
                ("stage", 1, "0.json", "passed"),
                ("stage", 1, "1.match", "passed"),
                ("stage", 1, "1.match > 0.labels", "passed"),
                ("stage", 1, "2.drop", "passed"),
                ("entry", 1, None, "sent"),
                ("stage", 2, "0.json", "passed"),
                ("stage", 2, "1.match", "passed"),
                ("stage", 2, "1.match > 0.labels", "passed"),
                ("stage", 2, "2.drop", "dropped"),
                ("entry", 2, None, "dropped"),
            ],
        )
        self.assertEqual(objects[0]["changes"], [{"what": "extracted", "name": "code", "after": 200}])
        self.assertEqual(objects[2]["path"], "scrape_configs[0].pipeline_stages[1].match.stages[0].labels")
        self.assertEqual(objects[8]["reason"], "gone")
        self.assertEqual(objects[4]["labels"]["code"], "200")
        self.assertEqual(objects[4]["lines"], [{"source": "stdin", "line": 1, "offset": 0}])


if __name__ == "__main__":
    harness.main()
