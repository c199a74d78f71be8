"""`${VAR}` and its kin in a text. Expanded in single values after YAML is parsed, so that none can inject YAML.

    ${VAR}              its value; an error when it is not set
    ${VAR:-default}     the default when it is not set or empty; may hold variables itself
    ${VAR:?message}     an error with this message when it is not set or empty
    ${file:/path}       what stands in a file, less one newline at its end; secret
    $$                  one $

Any other $ is a $. What came from a variable stays text: a number in it is read by the field that wants one.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from probe.config.places import quoted
from probe.config.sources import LARGEST_SECRET, Sources, Unreadable

SECRET_FOLDERS = (Path("/run/secrets"), Path("/var/run/secrets"))
"""Where Docker and Kubernetes put secrets: read without the operator's allowance."""

FILES = "files"
"""The allowance to read files elsewhere (`--allow files`)."""

MOST_EXPANDED = 64 * 1024 * 1024
"""Characters that all variables of a config may expand to."""

DEEPEST = 5
"""Levels of variables in the defaults of variables."""

_DOLLAR = re.compile(r"\$\$|\$\{")
_DOLLAR_OR_BARE = re.compile(r"\$\$|\$\{|\$(?P<bare>[A-Za-z_]\w*)", re.ASCII)
_BRACE = re.compile(r"\$\$|\$\{|\}")
_INNER = re.compile(r"(?P<name>[A-Za-z_]\w*)(?:(?P<op>:-|:\?)(?P<rest>.*))?", re.DOTALL | re.ASCII)
_FORMS = "write ${VAR}, ${VAR:-default}, ${VAR:?message} or ${file:/path}, and $$ for a plain $"


class VariableError(Exception):
    """A variable has no value; the message says why and how to mend it."""


Lookup = Callable[[str], str | None]
"""The value of a variable, None when it is not set. May raise VariableError."""


@dataclass(slots=True)
class Expanded:
    """A text after expansion; `given` are the values that came in and what was written for each."""

    text: str
    given: list[tuple[str, str]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)


class Files:
    """Reads what `${file:…}` and `env_file` name, where the operator allows it."""

    def __init__(self, sources: Sources, allow: frozenset[str]) -> None:
        self._sources = sources
        self._everywhere = FILES in allow
        self._texts: dict[Path, str] = {}

    def text(self, path: str, folder: Path, shown: str) -> str:
        """The text of a file, relative to the config's folder. Raises VariableError, never with content.

        `shown` is the path as it was written: a variable in it may be a secret.
        """
        if "\0" in path or not path:
            raise VariableError(f"{quoted(shown)} is no path")
        real = Path(os.path.realpath(folder / path))
        if real not in self._texts:
            self._check_allowed(shown, real, folder)
            self._texts[real] = self._read(shown, real)
        return self._texts[real]

    def _check_allowed(self, shown: str, real: Path, folder: Path) -> None:
        allowed = (Path(os.path.realpath(place)) for place in (folder, *SECRET_FOLDERS))
        if not self._everywhere and not any(real.is_relative_to(place) for place in allowed):
            raise VariableError(
                f"{quoted(shown)} is outside of the config's folder and of /run/secrets; "
                "the operator may allow that with --allow files"
            )

    def _read(self, shown: str, real: Path) -> str:
        try:
            content = self._sources.read(real, LARGEST_SECRET, regular=True)
            if len(content) > LARGEST_SECRET:
                raise Unreadable("it is larger than 1 MiB")
            return content.decode()
        except UnicodeDecodeError:
            raise VariableError(f"{quoted(shown)} can't be read: it is not UTF-8") from None
        except Unreadable as error:
            raise VariableError(f"{quoted(shown)} can't be read: {error}") from None


class Expander:
    """Expands texts; one for a whole config, as it bounds the sum of what variables expand to."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._left = MOST_EXPANDED

    def expand(self, text: str, lookup: Lookup, folder: Path = Path(), *, bare: bool = False) -> Expanded:
        """Raises VariableError. `folder` is where a file's path starts.

        `bare` is the dialect of env files: `$VAR` is a variable too, and `${file:…}` is none.
        """
        expanded = Expanded("")
        expanded.text = self._expand(text, _Scope(lookup, folder, bare, expanded), 0)
        return expanded

    def _expand(self, text: str, scope: "_Scope", level: int) -> str:
        if level > DEEPEST:
            raise VariableError(f"variables in variables, deeper than {DEEPEST} levels")
        parts, position = [], 0
        pattern = _DOLLAR_OR_BARE if scope.bare else _DOLLAR
        while found := pattern.search(text, position):
            parts.append(text[position : found.start()])
            position = found.end()
            if found[0] == "$$":
                parts.append("$")
                continue
            if found[0] == "${":
                position = _after_brace(text, position)
                value = self._value(text[found.end() : position - 1], scope, level)
            else:
                value = _known(scope.lookup(found["bare"]), found["bare"])
            self._spend(len(value))
            scope.expanded.given.append((value, text[found.start() : position]))
            parts.append(value)
        return "".join([*parts, text[position:]])

    def _value(self, inner: str, scope: "_Scope", level: int) -> str:
        if inner.startswith("file:") and not scope.bare:
            written = inner.removeprefix("file:")
            return self._of_file(self._expand(written, scope, level + 1), written, scope)
        found = _INNER.fullmatch(inner)
        if found is None:
            raise VariableError(f"{quoted('${' + inner + '}')} is no variable; {_FORMS}")
        value = scope.lookup(found["name"])
        if found["op"] is None or (value and found["op"]):
            return _known(value, found["name"])
        if found["op"] == ":?":
            raise VariableError(f"variable {found['name']} is not set: {found['rest'] or 'it must be'}")
        return self._expand(found["rest"], scope, level + 1)

    def _of_file(self, path: str, written: str, scope: "_Scope") -> str:
        text = self._files.text(path, scope.folder, written).removesuffix("\n").removesuffix("\r")
        if not text:
            raise VariableError(f"{quoted(written)} is empty; a secret should stand in it")
        scope.expanded.secrets.append(text)
        return text

    def _spend(self, characters: int) -> None:
        self._left -= characters
        if self._left < 0:
            raise VariableError(f"all variables together expand to more than {MOST_EXPANDED // 1024**2} MiB")


@dataclass(slots=True)
class _Scope:
    lookup: Lookup
    folder: Path
    bare: bool
    expanded: Expanded


def _after_brace(text: str, start: int) -> int:
    """The index after the brace that closes the one before `start`. Raises VariableError."""
    level, position = 1, start
    while found := _BRACE.search(text, position):
        position = found.end()
        level += {"$$": 0, "${": 1, "}": -1}[found[0]]
        if level == 0:
            return position
    raise VariableError(f"${{ is never closed; {_FORMS}")


def _known(value: str | None, name: str) -> str:
    if value is None:
        raise VariableError(f"variable {name} is not set; set it, or give it a default: ${{{name}:-…}}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise VariableError(f"the value of variable {name} is not UTF-8") from None
    return value


class Variables:
    """Values by precedence: the real environment, then the env files, the last one first."""

    def __init__(self, environ: Mapping[str, str], *files: Mapping[str, str | VariableError]) -> None:
        self._layers: tuple[Mapping[str, str | VariableError], ...] = (environ, *reversed(files))

    def __call__(self, name: str) -> str | None:
        """The value, None when it is not set. Raises what an env file has to say about it."""
        for layer in self._layers:
            if name in layer:
                value = layer[name]
                if isinstance(value, VariableError):
                    raise value
                return value
        return None
