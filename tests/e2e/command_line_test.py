#!/usr/bin/env python3
"""What the program says of its own command line: the manual page and the completions, as man, bash, zsh and fish take them."""

import re
import shutil
import subprocess
import unittest

import harness
from harness import AGENT, ROOT

NAME = "log-agent"


def generate(what, name=NAME):
    return subprocess.run([AGENT, "generate", what, name], capture_output=True, text=True, check=True).stdout


def help_text(*command):
    """Without those flags that have no effect."""
    text = subprocess.run([AGENT, *command, "-help"], capture_output=True, text=True, check=True).stdout
    return text.split("\nAccepted, without effect:")[0]


def commands():
    return re.findall(r"^ +agent ([a-z]+) ", help_text(), re.MULTILINE)


def flags(*command):
    return [flag for line in re.findall(r"^  (-.*)$", help_text(*command), re.MULTILINE)
            for flag in re.findall(r"^(?:-\S+, )*(-[\w.-]+)|(-[\w.-]+)(?=, )", line)[0] if flag]  # fmt: skip


class GenerateTest(harness.TestCase):
    def test_wrong_arguments_are_refused(self):
        for arguments in ((), ("csh",), ("bash", "a b"), ("bash", "a;b"), ("bash", "a", "b")):
            result = subprocess.run([AGENT, "generate", *arguments], capture_output=True, text=True, check=False)
            self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
            self.assertIn("agent generate -help", result.stderr)


@unittest.skipUnless(shutil.which("man"), "no man here: install man-db")
class ManualTest(harness.TestCase):
    def setUp(self):
        super().setUp()
        (self.dir / "reference").write_text(generate("man"))
        folder = ROOT / "deploy/package"
        self.page = self.dir / f"{NAME}.1"
        subprocess.run(["cmake", f"-DTEMPLATE={folder}/{NAME}.1.in", f"-DREFERENCE={self.dir}/reference", "-DVERSION=1.2.3",
                        f"-DOUTPUT={self.page}", "-P", folder / "manual.cmake"], check=True)  # fmt: skip

    def render(self, columns=80):
        return subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", self.page], capture_output=True, text=True,
                              check=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": str(columns),
                                               "MANROFFSEQ": "", "TERM": "dumb"})  # fmt: skip

    def test_nothing_is_wrong_with_it(self):
        for columns in (60, 80, 120):
            self.assertEqual(self.render(columns).stderr, "")

    def test_what_is_wrong_would_be_seen(self):
        self.page.write_text(self.page.read_text() + ".TP wrong\n.XYZ\n")
        self.assertNotEqual(self.render().stderr, "")

    def test_it_has_every_flag_and_every_command(self):
        text = re.sub(r".\x08|\x1b\[[\d;]*m", "", self.render(200).stdout)
        for flag in flags():
            self.assertRegex(text, rf"(?m)^ +{re.escape(flag)}\b")
        for command in commands():
            self.assertRegex(text, rf"(?m)^ +{NAME} {command} ")
        self.assertIn("Whether the service is ready", text)
        self.assertIn("log-agent 1.2.3", text)
        # It is called by the name of the package, everywhere.
        self.assertNotRegex(text, r"(?m)(^|[^-])\bagent (-|" + "|".join(commands()) + r") -")


class BashTest(harness.TestCase):
    SCRIPT = r"""
source "$1"; shift
complete -p log-agent >/dev/null || exit 9
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_log_agent 2>"${DIR}/errors"
printf '%s\n' "${COMPREPLY[@]}"
"""

    def complete(self, *words):
        script = self.dir / "completion"
        script.write_text(generate("bash"))
        result = subprocess.run(["bash", "-c", self.SCRIPT, "bash", script, NAME, *words], capture_output=True, text=True,
                                check=True, cwd=self.dir, env={"DIR": str(self.dir), "PATH": "/usr/bin:/bin"})  # fmt: skip
        # Outside of a completion compopt has nothing to set; nothing else may be wrong.
        errors = (self.dir / "errors").read_text()
        self.assertFalse([line for line in errors.splitlines() if "compopt" not in line], errors)
        return result.stdout.split()

    def test_commands_flags_and_their_values(self):
        self.assertEqual(self.complete("rep"), ["replay"])
        self.assertEqual(self.complete(""), commands())
        self.assertEqual(self.complete("-"), flags())
        self.assertEqual(self.complete("-config.f"), ["-config.file"])
        self.assertEqual(self.complete("--config.f"), ["--config.file"])
        self.assertEqual(self.complete("-dry-run", "-ins"), ["-inspect"])
        self.assertEqual(self.complete("-log.level", ""), ["debug", "info", "warn", "error"])
        self.assertEqual(self.complete("-log.level", "=", "w"), ["warn"])
        self.assertEqual(self.complete("-dry-run", "="), ["true", "false"])
        self.assertEqual(self.complete("-client.url", ""), [])

    def test_each_command_has_its_own(self):
        for command in commands():
            with self.subTest(command):
                self.assertLessEqual(set(flags(command)), set(self.complete(command, "-")) | {"-help"})
        self.assertEqual(self.complete("buffer", ""), ["ls", "verify", "cat"])
        self.assertEqual(self.complete("test", "-output", ""), ["text", "json", "junit"])
        self.assertIn("-config.file", self.complete("setup", "-con"))

    def test_files_and_folders(self):
        (self.dir / "agent.yaml").touch()
        (self.dir / "archive").mkdir()
        self.assertEqual(sorted(self.complete("-config.file", "a")), ["agent.yaml", "archive"])
        self.assertEqual(sorted(self.complete("-config.file", "=", "ag")), ["agent.yaml"])
        self.assertEqual(self.complete("test", "ag"), ["agent.yaml"])
        self.assertEqual(self.complete("buffer", "ls", "a"), ["archive"])

    def test_in_a_shell_that_someone_types_into(self):
        """Readline and all: what stands there after the tab."""
        (self.dir / "completion").write_text(generate("bash"))
        keys = "source completion; log-agent() { echo \"got: $*\"; }\nlog-agent -check-sy\t-config.file comple\t\nexit\n"
        typed = subprocess.run(["script", "-qec", "bash --norc --noprofile -i", "/dev/null"], input=keys, capture_output=True,
                               text=True, cwd=self.dir, timeout=60, check=False, env={"PATH": "/usr/bin:/bin", "TERM": "dumb"})  # fmt: skip
        self.assertIn("got: -check-syntax -config.file completion", typed.stdout)


@unittest.skipUnless(shutil.which("fish"), "no fish here")
class FishTest(harness.TestCase):
    def complete(self, line):
        (self.dir / "log-agent.fish").write_text(generate("fish"))
        result = subprocess.run(["fish", "--no-config", "-c", "source log-agent.fish; complete -C $argv[1]", "--", line],
                                capture_output=True, text=True, check=True, cwd=self.dir, timeout=60,
                                env={"PATH": "/usr/bin:/bin", "HOME": str(self.dir)})  # fmt: skip
        self.assertEqual(result.stderr, "")
        return [each.split("\t")[0] for each in result.stdout.splitlines()]

    def test_commands_flags_values_and_files(self):
        self.assertEqual(self.complete("log-agent rep"), ["replay"])
        self.assertEqual(set(self.complete("log-agent -")) - {"-h"}, set(flags()) - {"-h"})
        self.assertEqual(self.complete("log-agent -log.l"), ["-log.level"])
        self.assertEqual(set(self.complete("log-agent -log.level ")), {"debug", "info", "warn", "error"})
        self.assertEqual(set(self.complete("log-agent test -output ")), {"text", "json", "junit"})
        self.assertLessEqual({"cat", "ls", "verify"}, set(self.complete("log-agent buffer ")))
        (self.dir / "agent.yaml").touch()
        self.assertEqual(self.complete("log-agent -config.file ag"), ["agent.yaml"])


@unittest.skipUnless(shutil.which("zsh"), "no zsh here")
class ZshTest(harness.TestCase):
    # Completion is a matter of the line editor: a shell in a terminal of its own, into which a line and a tab are typed.
    TYPE = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; unsetopt auto_list; setopt nobeep"
zpty -w shell 'show() { print -r -- "<""<$BUFFER>"">"; BUFFER=; zle .accept-line }; zle -N show; bindkey "^X" show'
zpty -n -w shell "$2"$'\t'$'\C-x'
zpty -r -m shell text '*<<*>>*'
print -r -- $text
"""

    def test_it_is_loaded_and_without_fault(self):
        (self.dir / f"_{NAME}").write_text(generate("zsh"))
        script = 'fpath=($1 $fpath); autoload -U compinit; compinit -u -D; print $_comps[log-agent]; autoload +X _log-agent'
        result = subprocess.run(["zsh", "-f", "-c", script, "zsh", self.dir], capture_output=True, text=True, check=True,
                                env={"PATH": "/usr/bin:/bin", "HOME": str(self.dir)})  # fmt: skip
        self.assertEqual((result.stdout, result.stderr), ("_log-agent\n", ""))

    def complete(self, line):
        """The line as it stands after a tab, where there is one way to go on."""
        (self.dir / f"_{NAME}").write_text(generate("zsh"))
        result = subprocess.run(["zsh", "-f", "-c", self.TYPE, "zsh", self.dir, line], capture_output=True, text=True,
                                check=True, timeout=60, cwd=self.dir,
                                env={"PATH": "/usr/bin:/bin", "HOME": str(self.dir), "TERM": "dumb"})  # fmt: skip
        return re.findall(r"<<(.*?)>>", result.stdout)[-1]

    def test_what_is_typed_goes_on(self):
        (self.dir / "agent.yaml").touch()
        for typed, goes_on in (
            ("log-agent rep", "log-agent replay "),
            ("log-agent -config.f", "log-agent -config.file="),
            ("log-agent -config.file ag", "log-agent -config.file agent.yaml "),
            ("log-agent -config.file=ag", "log-agent -config.file=agent.yaml "),
            ("log-agent -log.level w", "log-agent -log.level warn "),
            ("log-agent -dry-run -insp", "log-agent -dry-run -inspect "),
            ("log-agent buffer ver", "log-agent buffer verify "),
            ("log-agent test -output ju", "log-agent test -output junit "),
        ):
            with self.subTest(typed):
                self.assertEqual(self.complete(typed), goes_on)


if __name__ == "__main__":
    harness.main()
