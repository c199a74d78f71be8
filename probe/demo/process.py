"""Child processes of the demo that never outlive it, ports that are free, folders that go away."""

import asyncio
import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
STOP_GRACE = 5.0
"""Seconds that a server has to stop by itself before it is killed."""


class StartFailed(Exception):
    """A part of the demo did not come up; the message says what it printed last."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on, below those that systems give to callers (Linux: 32768 and more).

    From among those it could be a caller's by the time that a server listens there, or while a stopped one is down.
    """
    while True:
        port = random.randrange(20_000, 32_768)  # noqa: S311  # no secret
        with socket.socket() as trying, suppress(OSError):
            trying.bind(("127.0.0.1", port))
            return port


class Process:
    """A server started as a child: it dies with us, even when we are killed with -9 (Linux)."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        user: tuple[int, int] | None = None,
        death_signal: int = signal.SIGKILL,
    ) -> None:
        """`log` gets what it prints. `user` is a (uid, gid) to become. `death_signal` is sent when we die."""
        self._command = [str(word) for word in command]
        self._log = log
        self._env = {**os.environ, **env} if env else None
        self._user = user
        self._death_signal = death_signal
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id; raises RuntimeError while it is not running."""
        if self._child is None:
            raise RuntimeError(f"{self._command[0]} is not running")
        return self._child.pid

    async def start(self, is_ready: Callable[[], bool], timeout: float = 30.0) -> None:
        """Start it and wait until `is_ready` (called in a thread). Raises StartFailed; it does not run then."""
        with self._log.open("ab") as output:
            self._child = subprocess.Popen(  # noqa: S603, ASYNC220  # our own command; fork and exec only; two syscalls
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
                start_new_session=True,  # Ctrl-C is ours to pass on, in order
                preexec_fn=self._before_exec,  # noqa: PLW1509  # a few system calls, no lock among them
            )
        try:
            await self._until(is_ready, self._child, timeout)
        except BaseException:  # a Ctrl-C, too
            await self.stop()
            raise

    async def stop(self, stop_signal: int = signal.SIGTERM) -> None:
        """Ask it to stop, wait for the grace, kill it. Does nothing when it is not running."""
        child, self._child = self._child, None
        if child is None or child.poll() is not None:
            return
        child.send_signal(stop_signal)
        try:
            await asyncio.to_thread(child.wait, STOP_GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            await asyncio.to_thread(child.wait)

    async def _until(self, is_ready: Callable[[], bool], child: subprocess.Popen[bytes], timeout: float) -> None:
        deadline = asyncio.get_running_loop().time() + timeout
        while not await asyncio.to_thread(is_ready):
            if child.poll() is not None or asyncio.get_running_loop().time() > deadline:
                raise StartFailed(f"{self._command[0]} did not start; its last words:\n{self._last_words()}")
            await asyncio.sleep(0.05)

    def _before_exec(self) -> None:
        if self._user is not None:
            os.setgroups([])
            os.setgid(self._user[1])
            os.setuid(self._user[0])
        if sys.platform == "linux":  # after setuid, which clears it
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, self._death_signal)

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-10:])


def accepts(port: int) -> bool:
    """Whether somebody listens on this port of 127.0.0.1."""
    with socket.socket() as caller:
        caller.settimeout(0.5)
        return caller.connect_ex(("127.0.0.1", port)) == 0
