"""The variables that a config may use: the environment, `.env` beside each config, env files named by either side."""

from collections.abc import Mapping
from pathlib import Path

from probe.config.envfile import Values, read_env
from probe.config.places import Complaint, Place
from probe.config.sources import LARGEST_SECRET, Sources, Unreadable
from probe.config.variables import Expander, Files, VariableError, Variables

DOTENV = ".env"


class Environment:
    """Reads env files once. What is wrong with them is collected in `complaints`.

    What hides what: the real environment, the operator's files (`--env-file`), those that a config names
    (`env_file:`), the `.env` in the folder of the config in question.
    """

    def __init__(self, environ: Mapping[str, str], sources: Sources, files: Files, expander: Expander) -> None:
        self.complaints: list[Complaint] = []
        self._environ = environ
        self._sources = sources
        self._files = files
        self._expander = expander
        self._beside: dict[Path, Values] = {}
        self._named: list[Values] = []
        self._operators: list[Values] = []

    def variables(self, folder: Path) -> Variables:
        """What a config in this folder may use."""
        if folder not in self._beside:
            self._beside[folder] = self._read_beside(folder)
        return Variables(self._environ, self._beside[folder], *self._named, *self._operators)

    def read_operators(self, path: Path) -> None:
        """Add a file that the operator names."""
        try:
            content = self._sources.read(path, LARGEST_SECRET)
            self._operators.append(self._values(str(path), content.decode()))
        except Unreadable as error:
            self.complaints.append(Complaint(Place(str(path)), f"can't be read: {error}"))
        except UnicodeDecodeError:
            self.complaints.append(Complaint(Place(str(path)), "not UTF-8; save the file as UTF-8"))

    def read_named(self, path: str, written: str, place: Place, folder: Path) -> None:
        """Add a file that a config names at some place; `written` is its path before variables were expanded."""
        try:
            text = self._files.text(path, folder, written)
        except VariableError as error:
            self.complaints.append(Complaint(place, str(error)))
        else:
            self._named.append(self._values(str(folder / path), text))

    def _read_beside(self, folder: Path) -> Values:
        path = folder / DOTENV
        if path.is_dir():  # some keep a Python environment there
            return {}
        if not path.exists():
            self._sources.note_missing(path)
            return {}
        try:
            return self._values(str(path), self._files.text(DOTENV, folder, DOTENV))
        except VariableError as error:
            self.complaints.append(Complaint(Place(str(path)), str(error)))
            return {}

    def _values(self, file: str, text: str) -> Values:
        values, complaints = read_env(file, text, self._environ, self._expander)
        self.complaints += complaints
        return values
