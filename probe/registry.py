"""Finds kinds by the names of their modules, and imports only those that are asked for."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Sequence

from probe.check import Check, suggestion

OWN_KINDS = "probe.kinds"
"""The package of the kinds that come with probe: one module, or one package, a kind."""


class UnknownKind(LookupError):
    """No kind has this name; the message suggests one."""


class ExtraMissing(LookupError):
    """The kind needs a driver that is not installed; the message is the pip command."""


class Registry:
    """The kinds there are. Nothing is registered: a kind is a module in one of the packages.

    A package may be any importable one, so a folder of a user's own kinds is one more name. An earlier package
    hides a later one's kind of the same name.
    """

    def __init__(self, packages: Sequence[str] = (OWN_KINDS,)) -> None:
        self._packages = tuple(packages)
        self._found: dict[str, type[Check]] = {}
        self._modules: dict[str, str] | None = None

    def names(self) -> tuple[str, ...]:
        """Every kind's name, sorted, whether its driver is installed or not; imports none of them."""
        return tuple(sorted(self._places()))

    def find(self, kind: str) -> type[Check]:
        """The class of a kind. Raises UnknownKind and ExtraMissing, and lets a bug of the kind's module through."""
        if kind not in self._found:
            self._found[kind] = self._import(kind)
        return self._found[kind]

    def _import(self, kind: str) -> type[Check]:
        places = self._places()
        if kind not in places:
            raise UnknownKind(f'no kind "{kind}"{suggestion(kind, list(places))}')
        try:
            module = importlib.import_module(places[kind])
        except ModuleNotFoundError as error:
            driver = (error.name or "").partition(".")[0]
            if driver == places[kind].partition(".")[0] or _is_installed(driver):
                raise
            raise ExtraMissing(
                f"kind \"{kind}\" needs {driver}, which is not installed: pip install 'stackprobe[{kind}]'"
            ) from None
        return _the_check_of(vars(module), places[kind], kind)

    def _places(self) -> dict[str, str]:
        """Kind to the full name of its module."""
        if self._modules is None:
            self._modules = {
                found.name: f"{package}.{found.name}"
                for package in reversed(self._packages)
                for found in pkgutil.iter_modules(importlib.import_module(package).__path__)
                if not found.name.startswith("_")
            }
        return self._modules


def _is_installed(module: str) -> bool:
    return bool(module) and importlib.util.find_spec(module) is not None


def _the_check_of(members: dict[str, object], module: str, kind: str) -> type[Check]:
    """The one Check that a kind's module, or a module of its package, defines. Raises TypeError for none or several."""
    classes = {
        member
        for member in members.values()
        if isinstance(member, type)
        and issubclass(member, Check)
        and (member.__module__ == module or member.__module__.startswith(f"{module}."))
        and member.kind == kind
    }
    if len(classes) != 1:
        raise TypeError(f'{module} must define one subclass of Check for the kind "{kind}"; it has {len(classes)}')
    return classes.pop()
