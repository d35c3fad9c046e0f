#!/usr/bin/env python3
"""The unit of deploy/systemd, as systemd-analyze sees it: nothing wrong in it, alone and with each drop-in, and no more exposed
than it has to be. (That it works is for package_test.py, where systemd runs it.)"""

import shutil
import subprocess
import unittest

import harness
from harness import ROOT

FOLDER = ROOT / "deploy/systemd"
DROP_INS = sorted((FOLDER / "drop-ins").glob("*.conf"))


@unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze here: install systemd")
class SystemdUnitTest(harness.TestCase):
    def analyze(self, *arguments, drop_ins=()):
        """Of the unit with a program in the agent's place that is there on this machine."""
        unit = self.dir / "log-agent.service"
        unit.write_text((FOLDER / unit.name).read_text().replace("/usr/bin/log-agent", "/bin/true"))
        more = self.dir / f"{unit.name}.d"
        more.mkdir(exist_ok=True)
        for drop_in in drop_ins:
            shutil.copy(drop_in, more)
        return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, check=False,
                              env={"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{self.dir}:", "SYSTEMD_COLORS": "0"})  # fmt: skip

    def test_nothing_is_wrong_in_it(self):
        self.assertGreaterEqual(len(DROP_INS), 4)
        for drop_ins in ((), *((each,) for each in DROP_INS), DROP_INS):
            with self.subTest([each.name for each in drop_ins]):
                verified = self.analyze("verify", "--man=no", "log-agent.service", drop_ins=drop_ins)
                self.assertEqual((verified.returncode, verified.stdout + verified.stderr), (0, ""))

    def test_what_is_wrong_would_be_seen(self):
        wrong = self.dir / "wrong.conf"
        wrong.write_text("[Service]\nProtectSytem=strict\n")
        self.assertIn("ProtectSytem", self.analyze("verify", "--man=no", "log-agent.service", drop_ins=[wrong]).stderr)

    def test_it_is_little_exposed(self):
        scored = self.analyze("security", "--offline=true", "--no-pager", "--threshold=15", str(self.dir / "log-agent.service"))
        self.assertEqual(scored.returncode, 0, scored.stdout + scored.stderr)
        self.assertRegex(scored.stdout, r"Overall exposure level for log-agent.service: (0\.\d|1\.[0-5]) ")


if __name__ == "__main__":
    harness.main()
