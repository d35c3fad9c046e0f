#!/usr/bin/env python3
"""`agent docs` in a pipe and on a terminal: width, colours, pager, exit codes."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

from harness import AGENT, TestCase, main, run_agent

STYLE = re.compile(r"\x1b\[[0-9;]*m")


class DocsTest(TestCase):
    def docs(self, *args):
        done = run_agent(self.dir, ["docs", *args])
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def on_terminal(self, *args, columns=80, **environment):
        """What a terminal of 40 lines gets to see, and the exit code."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        process = subprocess.Popen(
            [AGENT, "docs", *args],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={"PATH": os.environ["PATH"], "TERM": "xterm", **environment},
        )
        os.close(slave)
        shown = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:  # The other end is closed.
                break
            if not piece:
                break
            shown += piece
        os.close(master)
        return shown.decode().replace("\r\n", "\n"), process.wait(10)

    def test_pages_sections_keys_flags_and_metrics_are_found(self):
        for query, expected in (
            ((), "Stages of a pipeline"),
            (("json",), "expressions"),
            (("syslog",), "listen_address"),
            (("Disk", "buffer"), "drop_oldest"),
            (("outputs", "ssl"), "verification_mode"),
            (("clients.batchwait",), "duration; default `1s`"),
            (("positions.file",), "-positions.file"),
            (("-client.url",), "A Loki to push to"),
            (("__meta_kubernetes_pod_name",), "kubernetes_sd_configs"),
            (("agent_output_state",), "gauge; labels `output`"),
            (("quickstart.sh",), "It is spoken of in"),
        ):
            with self.subTest(query=query):
                code, shown, said = self.docs(*query)
                self.assertEqual((code, said), (0, ""))
                self.assertIn(expected, shown)

    def test_a_name_that_there_is_not_ends_with_1_and_the_nearest(self):
        code, shown, said = self.docs("batchwiat")
        self.assertEqual((code, shown), (1, ""))
        self.assertIn("did you mean 'batchwait'?", said)

    def test_wrong_flags_end_with_2(self):
        for args in (("-widht", "3"), ("-width", "x"), ("-width", "3"), ("-width",)):
            with self.subTest(args=args):
                self.assertEqual(self.docs(*args)[0], 2)

    def test_in_a_pipe_it_is_plain_and_80_columns_wide(self):
        _, shown, _ = self.docs("outputs")
        self.assertNotIn("\x1b", shown)
        outside_code = [line for line in shown.splitlines() if not line.startswith("    ")]
        self.assertLessEqual(max(map(len, outside_code)), 80)
        _, wide, _ = self.docs("-width=120", "outputs")
        self.assertGreater(max(map(len, wide.splitlines())), 100)

    def test_a_terminal_gets_styles_in_its_width(self):
        for columns in (60, 100):
            with self.subTest(columns=columns):
                shown, code = self.on_terminal("labels", columns=columns, PAGER="cat")
                self.assertEqual(code, 0)
                self.assertIn("\x1b[1mlabels\x1b[0m\n", shown)
                lines = [line for line in STYLE.sub("", shown).splitlines() if not line.startswith("    ")]
                self.assertLessEqual(max(map(len, lines)), columns)
                self.assertGreater(max(map(len, lines)), columns - 15)

    def test_no_color_is_respected(self):
        shown, _ = self.on_terminal("labels", PAGER="cat", NO_COLOR="1")
        self.assertNotIn("\x1b", shown)

    def test_a_terminal_gets_it_through_the_pager(self):
        shown, code = self.on_terminal("labels", PAGER="sed 's/^/<< /'")
        self.assertEqual(code, 0)
        self.assertTrue(all(line.startswith("<< ") for line in shown.splitlines()), shown)
        straight, _ = self.on_terminal("-no-pager", "labels", PAGER="sed 's/^/<< /'")
        self.assertNotIn("<<", straight)

    def test_a_pager_that_ends_early_is_no_failure(self):
        shown, code = self.on_terminal("agent", PAGER="head -3")
        self.assertEqual(code, 0)
        self.assertEqual(len(shown.splitlines()), 3)

    def test_a_pager_that_is_not_there_does_not_keep_the_text_back(self):
        shown, code = self.on_terminal("labels", PAGER="/no/such/pager")
        self.assertEqual(code, 0)
        self.assertIn("Makes extracted values labels", STYLE.sub("", shown))

    def test_a_reader_that_leaves_a_pipe_ends_it_quietly(self):
        done = subprocess.run(
            f"{AGENT} docs agent | head -1", shell=True, capture_output=True, timeout=30, check=False
        )
        self.assertEqual((done.stdout, done.stderr), (b"Agent\n", b""))


if __name__ == "__main__":
    main()
