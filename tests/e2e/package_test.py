#!/usr/bin/env python3
"""The Debian package on a host with the real systemd: installed, configured, started, reloaded, watched, upgraded, removed and
purged. Nothing but what it says is left, runs, or is read."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import harness
from fake_docker import FakeDocker
from harness import free_port, wait_until
from package import make_package
from systemd_bed import SystemdBed

UNIT = "log-agent.service"
CONFIG = "/etc/log-agent/config.yaml"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/test.conf"


def tree(root):
    """All files of the host but for those that tell what was done to it, and what the system itself writes."""
    others = ("var/lib/dpkg", "var/log", "var/cache", "var/lib/systemd", "etc/.pwd.lock", "run", "tmp", "proc", "sys", "dev")
    others += tuple(f"etc/{name}{dash}" for name in ("passwd", "group", "shadow", "gshadow", "subuid", "subgid") for dash in "-")
    found = set()
    for folder, folders, files in os.walk(root):
        relative = os.path.relpath(folder, root)
        found.update(os.path.normpath(os.path.join(relative, name)) for name in [*folders, *files])
        folders[:] = [name for name in folders if not os.path.normpath(os.path.join(relative, name)).startswith(others)]
    return {path for path in found if not path.startswith(others)}


class DockerInBed(FakeDocker):
    """A daemon on the bed's /var/run/docker.sock, whose paths are those of the bed."""

    def __init__(self, bed):
        bed.run("install", "-d", "/srv/docker", "/var/run")
        super().__init__(bed.path("/srv/docker"))
        self.outside, self.root = self.root, pathlib.Path("/srv/docker") / self.root.name
        bed.run("groupadd", "--system", "docker")
        bed.run("chgrp", "docker", "/srv/docker/docker.sock")
        bed.run("chmod", "660", "/srv/docker/docker.sock")
        bed.run("ln", "-s", "/srv/docker/docker.sock", "/var/run/docker.sock")

    def log_path(self, container):
        return self.outside / "containers" / container / f"{container}-json.log"

    def begin(self, container):
        with self.lock:
            self.containers[container]["State"]["Status"] = "running"
            self.containers[container]["LogPath"] = str(self.root / "containers" / container / f"{container}-json.log")
        self.event("start", container)


class PackageTest(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        if harness.SANITIZED:
            raise harness.unittest.SkipTest("the package is for the agent as it is shipped")
        cls.packages = tempfile.mkdtemp(prefix="log-agent-packages-")
        cls.addClassCleanup(shutil.rmtree, cls.packages, True)
        cls.package = make_package(cls.packages)
        cls.bed = SystemdBed()
        cls.addClassCleanup(cls.bed.close)

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.addCleanup(self.clean_up)
        cursor = self.bed.run("journalctl", "--lines=0", "--show-cursor").stdout
        self.cursor = cursor.split("cursor: ")[1].strip()

    def clean_up(self):
        self.bed.run("dpkg", "--purge", "log-agent", check=False)
        for folder in ("/etc/log-agent", os.path.dirname(DROP_IN), "/var/log/app", "/home/somebody"):
            shutil.rmtree(self.bed.path(folder), ignore_errors=True)
        self.bed.run("systemctl", "daemon-reload", check=False)

    # --- What an administrator does.

    def install(self, package=None, *options):
        package = self.package if package is None else package
        shutil.copy(package, self.bed.path("/var/tmp"))
        return self.bed.run("dpkg", *options, "--install", f"/var/tmp/{package.name}").stdout

    def configure(self, receiver, **more):
        config = {
            "server": {"http_listen_address": "127.0.0.1", "http_listen_port": self.port},
            "positions": {"filename": "/var/lib/log-agent/positions.yaml", "sync_period": "1s"},
            "clients": [{"url": receiver.url, "batchwait": "100ms"}],
            "target_config": {"sync_period": "1s"},
            "scrape_configs": [harness.file_job("/var/log/app/*.log")],
            **more,
        }
        self.bed.write(CONFIG, json.dumps(config, indent=1))

    def drop_in(self, text):
        self.bed.write(DROP_IN, f"[Service]\n{text}\n")
        self.bed.run("systemctl", "daemon-reload")

    def installed_and_running(self, **more):
        receiver = self.sink()
        self.bed.write("/var/log/app/root.log", "only root may read this\n", mode=0o600)
        self.install()
        self.configure(receiver, **more)
        self.bed.run("systemctl", "start", UNIT)
        self.assertEqual(self.state(), "active")
        return receiver

    # --- What they see.

    def state(self):
        return self.bed.run("systemctl", "is-active", UNIT, check=False).stdout.strip()

    def main_pid(self):
        return self.bed.show(UNIT, "MainPID")

    def journal(self):
        return self.bed.run("journalctl", f"--after-cursor={self.cursor}", f"--unit={UNIT}", "--output=cat").stdout

    def wait_for(self, condition, timeout=30):
        return wait_until(lambda: f"{self.state()}\n{self.journal()[-3000:]}", condition, timeout, pause=0.1)

    def lines(self, receiver):
        return sorted(entry.line for entry in receiver.taken())

    def test_lintian_finds_nothing(self):
        if shutil.which("lintian") is None:
            self.skipTest("no lintian here")
        found = subprocess.run(["lintian", "--allow-root", "--fail-on=error,warning", self.package], capture_output=True, text=True,
                               timeout=300, check=False)  # fmt: skip
        self.assertEqual((found.returncode, found.stdout), (0, ""), found.stderr)

    def test_installed_it_waits_for_a_receiver(self):
        said = self.install()

        self.assertIn("log-agent is not started: name a receiver in /etc/log-agent/config.yaml", said)
        self.assertEqual(self.state(), "inactive")
        self.assertEqual(self.bed.run("systemctl", "is-enabled", UNIT).stdout.strip(), "enabled")
        self.assertEqual(self.bed.run("systemctl", "--failed", "--no-legend").stdout, "")
        # Nor is it by hand, and it says why.
        self.bed.run("systemctl", "start", UNIT, check=False)
        self.assertEqual(self.state(), "inactive")
        self.assertIn("config.yaml: no receiver is named", self.journal())
        # It is as it should be all the same.
        self.assertIn("Valid config file", self.bed.run("log-agent", f"-config.file={CONFIG}", "-check-syntax").stdout)
        self.assertRegex(self.bed.run("id", "log-agent").stdout, r"uid=\d+\(log-agent\) gid=\d+\(log-agent\) groups=.*systemd-journal")
        verified = self.bed.run("systemd-analyze", "verify", "--man=no", f"/lib/systemd/system/{UNIT}")
        self.assertNotIn("log-agent", verified.stdout + verified.stderr)

    def test_it_runs_in_its_sandbox_and_reads_what_it_may(self):
        journal = {"job_name": "journal", "journal": {"max_age": "1h", "labels": {"job": "journal"}}}
        receiver = self.installed_and_running(scrape_configs=[harness.file_job("/var/log/app/*.log"), journal])

        # Files of others, and the journal.
        self.bed.run("sh", "-c", "echo from a service | systemd-cat -t somebody")
        self.wait_for(lambda: {"only root may read this", "from a service"} <= set(self.lines(receiver)))
        # As a user that has the one right, and no way to write anything but its state.
        status = self.bed.run("cat", f"/proc/{self.main_pid()}/status").stdout
        self.assertEqual(set(re.findall(r"Cap(?:Eff|Prm|Bnd|Amb):\s+(\w+)", status)), {f"{1 << 2:016x}"})
        self.assertRegex(status, r"NoNewPrivs:\s+1")
        self.assertNotRegex(status, r"Uid:\s+0\b")
        self.wait_for(lambda: self.bed.path("/var/lib/log-agent/positions.yaml").exists())
        self.assertEqual(self.bed.path("/var/lib/log-agent").stat().st_mode & 0o777, 0o750)
        # Compiling expressions to machine code is allowed; nothing was refused on the way.
        self.assertNotRegex(self.journal(), r"level=(warn|error)")
        self.assertEqual(self.bed.run("log-agent", "ready", "-config.file", CONFIG).stdout, "Ready\n")

        # systemd knows how it is.
        self.wait_for(lambda: "1 file and 1 other source followed" in self.bed.show(UNIT, "StatusText"))
        self.assertRegex(self.bed.show(UNIT, "StatusText"), r"followed, \d+ entries sent$")

        # A reload is over when systemctl says so, and takes what is new.
        pid = self.main_pid()
        self.configure(receiver, scrape_configs=[harness.file_job("/var/log/app/*.log", labels={"new": "yes"})])
        self.bed.run("systemctl", "reload", UNIT)
        self.wait_for(lambda: "the configuration is loaded" in self.journal())
        self.bed.write("/var/log/app/next.log", "after the reload\n")
        self.wait_for(lambda: "after the reload" in self.lines(receiver))
        self.assertEqual([e.labels["new"] for e in receiver.taken() if e.line == "after the reload"], ["yes"])
        self.assertEqual(self.main_pid(), pid)
        self.wait_for(lambda: self.state() == "active")

        self.bed.run("systemctl", "stop", UNIT)
        self.assertEqual(self.bed.show(UNIT, "Result"), "success")
        self.assertEqual(self.bed.show(UNIT, "ExecMainStatus"), "0")

    def test_a_wrong_configuration_fails_to_start_and_says_where(self):
        self.install()
        self.bed.write(CONFIG, "clients: [{url: http://127.0.0.1:1/, timeuot: 3s}]\n")

        self.assertNotEqual(self.bed.run("systemctl", "start", UNIT, check=False).returncode, 0)

        self.wait_for(lambda: "config.yaml:1:38: clients[0]: unknown key 'timeuot'" in self.journal())
        self.bed.run("systemctl", "stop", UNIT)

    def test_the_watchdog_and_a_crash_start_it_again(self):
        receiver = self.installed_and_running()
        self.wait_for(lambda: "only root may read this" in self.lines(receiver))
        self.drop_in("WatchdogSec=1s\nRestartSec=100ms\nTimeoutAbortSec=1s\nLimitCORE=0")
        self.bed.run("systemctl", "restart", UNIT)

        for signal in ("KILL", "STOP"):
            pid = self.main_pid()
            self.bed.run("systemctl", "kill", "--kill-whom=main", f"--signal={signal}", UNIT)
            self.wait_for(lambda before=pid: self.main_pid() not in ("0", before) and self.state() == "active")
        self.assertIn("Watchdog timeout", self.journal())

        self.bed.write("/var/log/app/after.log", "after all of that\n")
        self.wait_for(lambda: "after all of that" in self.lines(receiver))
        self.assertEqual(self.lines(receiver), ["after all of that", "only root may read this"])

    def test_drop_ins_give_what_they_say(self):
        """Ports below 1024, and logs below /home."""
        receiver = self.sink()
        self.bed.write("/home/somebody/app.log", "at home\n", mode=0o600)
        self.bed.write("/tmp/app.log", "in between\n")
        self.install()
        for name in ("ports.conf", "home-logs.conf"):
            text = self.bed.path(f"/usr/share/doc/log-agent/deploy/systemd/drop-ins/{name}").read_text()
            self.bed.write(os.path.join(os.path.dirname(DROP_IN), name), text)
        self.bed.run("systemctl", "daemon-reload")
        jobs = [harness.file_job("/home/*/*.log", "home"), harness.file_job("/tmp/*.log", "tmp")]
        self.configure(receiver, scrape_configs=jobs,
                       server={"http_listen_address": "127.0.0.17", "http_listen_port": 81})  # fmt: skip
        self.bed.run("systemctl", "start", UNIT)

        self.wait_for(lambda: "at home" in self.lines(receiver))
        self.assertEqual(self.bed.run("log-agent", "ready", "http://127.0.0.17:81/ready").stdout, "Ready\n")
        # To be read, and never to be written.
        for folder in ("/home/somebody", "/tmp", "/var/log", "/etc/log-agent"):
            tried = self.bed.run("nsenter", f"--target={self.main_pid()}", "--mount", "touch", f"{folder}/written", check=False)
            self.assertIn("Read-only file system", tried.stderr)

    def test_with_its_drop_in_it_reads_the_containers_of_docker(self):
        receiver = self.sink()
        docker = DockerInBed(self.bed)
        self.addCleanup(docker.close)
        docker.create("a" * 64, "web")
        docker.begin("a" * 64)
        docker.write("a" * 64, "from a container")
        docker.log_path("a" * 64).chmod(0o600)
        self.install()
        discovery = {"host": "unix:///var/run/docker.sock", "refresh_interval": "1s"}
        relabel = {"source_labels": ["__meta_docker_container_name"], "regex": "/(.*)", "target_label": "container"}
        job = {"job_name": "containers", "docker_sd_configs": [discovery], "relabel_configs": [relabel]}
        self.configure(receiver, scrape_configs=[job])

        self.bed.run("systemctl", "start", UNIT)
        self.wait_for(lambda: "Docker does not answer" in self.journal())

        text = self.bed.path("/usr/share/doc/log-agent/deploy/systemd/drop-ins/docker.conf").read_text()
        self.bed.write(os.path.join(os.path.dirname(DROP_IN), "docker.conf"), text)
        self.bed.run("systemctl", "daemon-reload")
        self.bed.run("systemctl", "restart", UNIT)
        self.wait_for(lambda: self.lines(receiver) == ["from a container"])

    def test_an_upgrade_keeps_the_configuration_and_what_runs(self):
        receiver = self.installed_and_running()
        self.wait_for(lambda: self.lines(receiver) == ["only root may read this"])
        configured = self.bed.path(CONFIG).read_text()
        pid = self.main_pid()
        newer = make_package(self.packages, release=2)

        self.install(newer, "--force-confold")

        self.assertEqual(self.bed.run("dpkg-query", "-W", "-f", "${Version}", "log-agent").stdout[-2:], "-2")
        self.assertEqual(self.bed.path(CONFIG).read_text(), configured)
        self.wait_for(lambda: self.state() == "active")
        self.assertNotEqual(self.main_pid(), pid)
        self.bed.write("/var/log/app/new.log", "after the upgrade\n")
        self.wait_for(lambda: "after the upgrade" in self.lines(receiver))
        self.assertEqual(self.lines(receiver), ["after the upgrade", "only root may read this"])

        # What the administrator has stopped and disabled stays so.
        self.bed.run("systemctl", "disable", "--now", UNIT)
        self.install(self.package, "--force-downgrade")
        self.assertEqual(self.state(), "inactive")
        self.assertEqual(self.bed.run("systemctl", "is-enabled", UNIT, check=False).stdout.strip(), "disabled")

    def test_removed_it_leaves_what_is_the_administrators_and_purged_nothing(self):
        before = tree(self.bed.root)
        accounts = [self.bed.path(f"/etc/{name}").read_text() for name in ("passwd", "group")]
        receiver = self.installed_and_running()
        self.wait_for(lambda: self.lines(receiver) == ["only root may read this"])
        self.wait_for(lambda: self.bed.path("/var/lib/log-agent/positions.yaml").exists())

        self.bed.run("dpkg", "--remove", "log-agent")
        self.assertEqual(self.state(), "inactive")
        left = tree(self.bed.root) - before
        self.assertIn(CONFIG[1:], left)
        self.assertIn("var/lib/log-agent/positions.yaml", left)
        self.assertFalse({path for path in left if path.startswith(("usr", "lib"))})

        # Installed again it goes on where it was.
        self.install()
        self.wait_for(lambda: self.state() == "active")
        self.bed.write("/var/log/app/again.log", "again\n")
        self.wait_for(lambda: "again" in self.lines(receiver))
        self.assertEqual(self.lines(receiver), ["again", "only root may read this"])

        self.bed.run("dpkg", "--purge", "log-agent")
        self.assertEqual(tree(self.bed.root) - before - {"root/" + self.package.name}, set())
        self.assertEqual([self.bed.path(f"/etc/{name}").read_text() for name in ("passwd", "group")], accounts)
        self.assertEqual(self.bed.show(UNIT, "LoadState"), "not-found")
        self.assertEqual(self.bed.run("dpkg-query", "-W", "log-agent", check=False).returncode, 1)


class InstallTest(harness.TestCase):
    """`cmake --install`, without a package."""

    def test_into_a_prefix_with_a_unit_that_names_the_program_there(self):
        if harness.SANITIZED:
            self.skipTest("an installation is of the agent as it is shipped")
        from package import BUILD

        for _ in range(2):  # The second time there is a configuration, which stays.
            subprocess.run(["cmake", "--install", BUILD, "--prefix", "/opt/agent", "--strip"], check=True, timeout=120,
                           capture_output=True, env={**os.environ, "DESTDIR": str(self.dir)})  # fmt: skip
            config = self.dir / "etc/log-agent/config.yaml"
            config.write_text(config.read_text() + "# mine\n")
        self.assertEqual(config.read_text().count("# mine"), 2)
        unit = (self.dir / "opt/agent/lib/systemd/system/log-agent.service").read_text()
        self.assertIn("ExecStart=/opt/agent/bin/log-agent -config.file=/etc/log-agent/config.yaml", unit)
        self.assertNotIn("/usr/bin/log-agent", unit)
        program = self.dir / "opt/agent/bin/log-agent"
        self.assertRegex(subprocess.run([program, "-version"], capture_output=True, text=True, check=True).stdout, r"\d\.\d\.\d")
        sections = subprocess.run(["readelf", "--sections", program], capture_output=True, text=True, check=True).stdout
        self.assertNotRegex(sections, r"\.symtab|\.debug_info")
        for made in ("man/man1/log-agent.1.gz", "bash-completion/completions/log-agent", "zsh/vendor-completions/_log-agent",
                     "fish/vendor_completions.d/log-agent.fish", "doc/log-agent/README.md"):  # fmt: skip
            self.assertTrue((self.dir / "opt/agent/share" / made).exists(), made)


if __name__ == "__main__":
    harness.main()
