"""The Debian package of the build that AGENT belongs to, made without compiling anything."""

import pathlib
import subprocess

from harness import AGENT

BUILD = pathlib.Path(AGENT).resolve().parent.parent


def make_package(directory, release=1):
    """Gives the path of the package."""
    target = pathlib.Path(directory) / f"release-{release}"
    for needed in ("CPackConfig.cmake", "deploy/package/log-agent.1.gz"):
        if not (BUILD / needed).exists():
            raise AssertionError(f"{BUILD / needed} is not there: build the target package_files")
    made = subprocess.run(
        ["cpack", "--config", BUILD / "CPackConfig.cmake", "-G", "DEB", "-B", target,
         "-D", f"CPACK_DEBIAN_PACKAGE_RELEASE={release}", "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip"],
        capture_output=True, text=True, timeout=300, check=False, cwd="/",
    )  # fmt: skip
    if made.returncode != 0:
        raise AssertionError(made.stdout + made.stderr)
    (package,) = target.glob("*.deb")
    return package
