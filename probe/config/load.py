"""Config files to one frozen `Config`, or one error with everything that is wrong in all of them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from probe.check import suggestion
from probe.config.checks import Checks, Written, validate
from probe.config.environment import Environment
from probe.config.graph import complaints_of_metrics, complaints_of_needs
from probe.config.nodes import Entry, Map, scalars
from probe.config.places import Complaint, ConfigError, Place, quoted
from probe.config.reader import LARGEST_FILE, read
from probe.config.settings import Config, Settings
from probe.config.sources import Sources, Unreadable
from probe.config.values import Values
from probe.config.variables import Expander, Files
from probe.registry import Registry

MOST_CHECKS = 20_000
"""Checks of one agent: twice what it is measured with."""

DEFAULTS, CHECKS, ENV_FILE = "defaults", "checks", "env_file"
SETTINGS = tuple(Settings.model_fields)
_KEYS = (DEFAULTS, CHECKS, *SETTINGS)


def load(
    paths: Sequence[Path],
    *,
    allow: frozenset[str],
    environ: Mapping[str, str],
    env_files: Sequence[Path] = (),
    registry: Registry | None = None,
) -> Config:
    """The config that some files and folders (their `*.yaml`) come to. Raises ConfigError.

    `allow`: what the operator lets a config do, of `files`, `command`, `kinds`. `env_files` are the operator's, and
    hide those that the config names. Blocks, for a second at 10,000 checks: call it in a thread.
    """
    loading = _Loading(allow, environ, registry or Registry())
    return loading.config(paths, env_files)


@dataclass(slots=True, eq=False)
class _File:
    """A config file that could be read."""

    path: Path
    top: Map

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def settings(self) -> dict[str, Entry]:
        return {key: entry for key, entry in self.top.entries.items() if key in SETTINGS}


class _Loading:
    """One attempt at a config: the files on the way to it, and the complaints."""

    def __init__(self, allow: frozenset[str], environ: Mapping[str, str], registry: Registry) -> None:
        self._complaints: list[Complaint] = []
        self._sources = Sources()
        files = Files(self._sources, allow)
        self._expander = Expander(files)
        self._environment = Environment(environ, self._sources, files, self._expander)
        self._checks = Checks(registry)

    def config(self, paths: Sequence[Path], env_files: Sequence[Path]) -> Config:
        """Raises ConfigError."""
        files = [file for path in self._single(paths) if (file := self._file(path))]
        for path in env_files:
            self._environment.read_operators(path)
        settings = self._settings(files)
        written = self._read_checks(files)
        self._complaints += [
            *self._environment.complaints,
            *self._checks.complaints,
            *complaints_of_needs(written),
            *complaints_of_metrics(written),
        ]
        if not (written or self._complaints):
            self._complain(
                Place(str(paths[0]) if paths else "config"), "there is no check in it; add one under checks:"
            )
        if self._complaints:
            raise ConfigError(self._complaints, self._sources.seen())
        checks = {name: one.check for name, one in written.items() if one.check}
        return Config(checks, settings.web, settings.state_dir, self._sources.seen())

    def _single(self, paths: Sequence[Path]) -> list[Path]:
        """The files, in place of folders what is in them; each once."""
        files: dict[str, Path] = {}
        for path in paths:
            for file in self._in_folder(path) if os.path.isdir(path) else [path]:
                files.setdefault(os.path.realpath(file), file)
        return list(files.values())

    def _in_folder(self, folder: Path) -> list[Path]:
        try:
            paths = self._sources.list(folder)
        except Unreadable as error:
            self._complain(Place(str(folder)), f"can't be read: {error}")
            return []
        for path in paths:
            if path.suffix == ".yml":
                self._complain(Place(str(path)), "is not read: of a folder only *.yaml is; rename it")
        found = [path for path in paths if path.suffix == ".yaml"]
        if not found:
            self._complain(Place(str(folder)), "no *.yaml in this folder")
        return found

    def _file(self, path: Path) -> _File | None:
        try:
            content = self._sources.read(path, LARGEST_FILE)
        except Unreadable as error:
            self._complain(Place(str(path)), f"can't be read: {error}")
            return None
        top, complaints = read(str(path), content)
        self._complaints += complaints
        if top is None:
            return None
        for key, entry in top.entries.items():
            if key not in _KEYS and not key.startswith("x-"):
                self._complain(entry.place, f"unknown key {quoted(key)}{suggestion(key, list(_KEYS))}")
        return _File(path, top)

    def _settings(self, files: Sequence[_File]) -> Settings:
        """The agent's settings, from the one file that has some; the env files that it names are read on the way."""
        having = [file for file in files if file.settings]
        for other in having[1:]:
            for key, entry in other.settings.items():
                message = f"{quoted(key)} belongs into {having[0].path}: the agent's settings stand in one file"
                self._complain(entry.place, message)
        if not having:
            return Settings()
        file = having[0]
        if named := file.settings.get(ENV_FILE):
            self._read_named(named, file)
        values = self._values(file)
        entry = Entry(file.top.place, Map(file.top.place, file.settings))
        settings, complaints = validate(entry, Settings, values)
        self._complaints += [*values.complaints, *(complaint for complaint, _ in complaints)]
        return settings.seen_from(file.folder.absolute()) if settings else Settings()

    def _read_named(self, named: Entry, file: _File) -> None:
        values = self._values(file)
        for scalar in scalars(named.node):
            path = values.plain(scalar)
            if isinstance(path, str) and not values.is_broken(scalar):
                self._environment.read_named(path, scalar.text, scalar.place, file.folder)
        self._complaints += values.complaints

    def _read_checks(self, files: Sequence[_File]) -> dict[str, Written]:
        """Every check by its name; of a name that stands twice the first."""
        written: dict[str, Written] = {}
        for file in files:
            values = self._values(file)
            defaults = self._checks.defaults(file.top.entries.get(DEFAULTS), values)
            for name, entry in self._entries(file):
                if (first := written.get(name)) is not None:
                    message = f"the check {quoted(name)} stands twice; first at {first.entry.place}"
                    self._complain(entry.place, message)
                elif len(written) == MOST_CHECKS:
                    self._complain(entry.place, f"more than {MOST_CHECKS:,} checks; run a second agent")
                    break
                else:
                    written[name] = self._checks.read(name, entry, defaults, values)
            self._complaints += values.complaints
        return written

    def _entries(self, file: _File) -> list[tuple[str, Entry]]:
        entry = file.top.entries.get(CHECKS)
        if entry is None:
            return []
        if not isinstance(entry.node, Map) or not entry.node.entries:
            self._complain(entry.place, "checks is a mapping of names to checks, as in {db: {kind: postgres}}")
            return []
        return list(entry.node.entries.items())

    def _values(self, file: _File) -> Values:
        return Values(self._expander, self._environment.variables(file.folder), file.folder)

    def _complain(self, place: Place, message: str) -> None:
        self._complaints.append(Complaint(place, message))
