"""The image of deploy/docker, made of the agent under test by a Docker daemon of the test's own."""

import shutil
import subprocess

from dockerd import Dockerd
from harness import AGENT, ROOT, build_server

# As everywhere in deploy/: nothing of its own is written but the state, and nothing may be done but reading.
READ_ONLY = ("--read-only", "--cap-drop=ALL", "--tmpfs=/tmp")
GRANTED = ("--cap-add=DAC_READ_SEARCH",)


def daemon_with_image(name):
    """A daemon that has it; the caller closes it."""
    base = build_server("debian")
    daemon = Dockerd(storage="overlay2")
    try:
        build_image(daemon, base, name)
    except BaseException:
        daemon.close()
        raise
    return daemon


def build_image(daemon, base, name):
    daemon.docker("import", base, "debian:test")
    context = daemon.dir / "context"
    (context / "dist").mkdir(parents=True)
    shutil.copytree(ROOT / "deploy/docker", context / "deploy/docker")
    shutil.copy(ROOT / ".dockerignore", context)
    subprocess.run(["strip", "-o", context / "dist/agent", AGENT], check=True)
    subprocess.run(["g++", "-std=c++20", "-Os", "-static", "-s", "-o", context / "dist/launch",
                    ROOT / "deploy/docker/launch.cc"], check=True)  # fmt: skip
    built = daemon.docker(
        "build", "--network=none", "--file", str(context / "deploy/docker/Dockerfile"), "--tag", name,
        "--build-arg", "BASE=debian:test", "--build-arg", "PREBUILT=dist", str(context), check=False, timeout=300,
    )  # fmt: skip
    if built.returncode != 0:
        raise AssertionError(built.stdout + built.stderr)
