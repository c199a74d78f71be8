"""The demo's folder: it goes away with the demo, and a killed demo's goes away with the next one."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "probe-demo-"
LOCK = "lock"
"""A file in the folder that a living demo holds locked; the lock dies with its process, however that dies."""


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder that is ours until the end. Those of demos that are dead are removed on the way."""
    _sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o711)  # PostgreSQL may run as another user and must get at its data below
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            with (folder / LOCK).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # it lives, is another user's, or is being made
            continue
        shutil.rmtree(folder, ignore_errors=True)
