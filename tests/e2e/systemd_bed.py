"""A host of its own with the real systemd: Debian's root of servers/debian.sh, booted in namespaces of its own (processes,
mounts, cgroups, name), with the network of this machine. Needs root."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from dockerd import unavailable
from harness import build_server, wait_until

CGROUPS = pathlib.Path("/sys/fs/cgroup")

# What a container's runtime does. $1 is the root.
BOOT = r"""
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in full null random tty urandom zero; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
  mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
  mkdir "$root/sys/fs/cgroup/systemd" "$root/sys/fs/cgroup/unified"
  mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified"
fi
hostname log-agent-test
cd "$root"
mkdir -p before
pivot_root . before
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
umount -l /before
rmdir /before
exec env -i container=log-agent-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --unit=basic.target --show-status=0
"""

# They are about a real machine's kernel and devices, which this one has not.
MASKED = ("systemd-journald-audit.socket", "systemd-modules-load.service", "systemd-remount-fs.service", "modprobe@.service",
          "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "dev-hugepages.mount", "dev-mqueue.mount")  # fmt: skip


class SystemdBed:
    def __init__(self):
        if os.geteuid() != 0:
            unavailable("a systemd of the test's own needs root")
        archive = build_server("debian")
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="log-agent-systemd-"))
        self.root = self.dir / "root"
        self.root.mkdir()
        self.process = None
        self.cgroups = []
        try:
            subprocess.run(["tar", "-C", self.root, "-xf", archive], check=True)
            (self.root / "var/log/journal").mkdir(exist_ok=True)
            for unit in MASKED:
                (self.root / "etc/systemd/system" / unit).symlink_to("/dev/null")
            self._boot()
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            log = (self.dir / "boot.log").read_text() if (self.dir / "boot.log").exists() else ""
            self.close()
            unavailable(f"no systemd runs here: {error} {log[-500:]}")

    def _boot(self):
        at = [CGROUPS] if (CGROUPS / "cgroup.controllers").exists() else [CGROUPS / "systemd", CGROUPS / "unified"]
        self.cgroups = [each / self.dir.name for each in at]

        def enter_cgroups():
            for each in self.cgroups:
                each.mkdir()
                (each / "cgroup.procs").write_text("0")

        with open(self.dir / "boot.log", "wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child",
                 "bash", "-c", BOOT, "boot", self.root],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=enter_cgroups,
            )  # fmt: skip

        # What waits for it out here is none of its processes: where there is but one kind of cgroup, that one could not have
        # any besides those in its own cgroups.
        wait_until("its first process", lambda: self.process.poll() is not None or self.pid, 20, pause=0.01)
        for each in self.cgroups:
            (each.parent / "cgroup.procs").write_text(str(self.process.pid))

        def running():
            if self.process.poll() is not None:
                raise AssertionError(f"it ended, exit code {self.process.returncode}")
            return self.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded")

        wait_until("systemd has booted", running, 60, pause=0.1)

    @property
    def pid(self):
        """Of systemd, as seen from here; 0 before there is one."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else 0

    def run(self, *command, check=True, timeout=60, environment=None):
        """In the bed, as root."""
        if not self.pid:
            return subprocess.CompletedProcess(command, 1, "", "not there yet")
        result = subprocess.run(
            ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--root", "--wd",
             "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
             *(f"{name}={value}" for name, value in (environment or {}).items()), *command],
            capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if check and result.returncode != 0:
            raise AssertionError(f"{command}: {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def show(self, unit, name):
        """A property of a unit."""
        return self.run("systemctl", "show", f"--property={name}", "--value", unit).stdout.strip()

    def path(self, inside):
        return self.root / inside.lstrip("/")

    def write(self, inside, text, mode=0o644):
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def close(self):
        if self.process is not None:
            self.process.kill()  # And with it, by --kill-child, all that is in there.
            self.process.wait()
        for each in self.cgroups:
            self._remove_cgroup(each)
        shutil.rmtree(self.dir, ignore_errors=True)

    @staticmethod
    def _remove_cgroup(path):
        def gone():
            try:
                for folder, _, _ in os.walk(path, topdown=False):
                    os.rmdir(folder)
            except OSError:
                return False
            return True

        wait_until(f"{path} is empty", gone, 20)


