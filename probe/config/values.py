"""From nodes to plain values, variables expanded, and what of them a complaint must not show."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from probe.config.annotations import secret_fields, url_fields
from probe.config.nodes import List, Map, Node, Scalar, scalars
from probe.config.places import Complaint
from probe.config.variables import Expanded, Expander, VariableError, Variables
from probe.redact import SHORTEST, Redactor, secrets_of_url

_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"")


class Values:
    """Reads the nodes of one file; each scalar with a `$` is expanded once, however many aliases lead to it."""

    def __init__(self, expander: Expander, variables: Variables, folder: Path) -> None:
        self.complaints: list[Complaint] = []
        self._expander = expander
        self._variables = variables
        self._folder = folder
        self._expanded: dict[Scalar, Expanded | None] = {}
        self._any_secret = False

    def plain(self, node: Node) -> Any:
        """What pydantic validates. A text that can't be expanded is complained of, and stays as it was written."""
        if isinstance(node, Scalar):
            if isinstance(node.value, str) and "$" in node.value:
                expanded = self.expanded(node)
                return node.text if expanded is None else expanded.text
            return node.value
        if isinstance(node, List):
            return [self.plain(item) for item in node.items]
        return {key: self.plain(entry.node) for key, entry in node.entries.items()}

    def expanded(self, node: Scalar) -> Expanded | None:
        """What a text with a `$` expands to; None when it can't."""
        if node not in self._expanded:
            try:
                expanded = self._expander.expand(node.text, self._variables, self._folder)
                self._expanded[node] = expanded
                self._any_secret |= bool(expanded.secrets)
            except VariableError as error:
                self._expanded[node] = None
                self.complaints.append(Complaint(node.place, str(error)))
        return self._expanded[node]

    def is_broken(self, node: Node) -> bool:
        """Whether a text at or below the node can't be expanded: what else is said of it would be noise."""
        return bool(self.complaints) and any(self._expanded.get(scalar, scalar) is None for scalar in scalars(node))

    def secrets(self, node: Node) -> frozenset[str]:
        """What came from `${file:…}` at or below the node."""
        found = (self._expanded.get(scalar) for scalar in scalars(node)) if self._any_secret else ()
        return frozenset(secret for expanded in found if expanded for secret in expanded.secrets)

    def mask(self, check: Map, model: type[BaseModel]) -> Callable[[str, Node], str]:
        """Makes a complaint about a node fit to be shown: without the secrets of the check, and without what variables
        gave to the node; a variable may be a secret in a field that is none, so what is shown is what was written.
        """
        redact = Redactor(self._secrets_of(check, model))

        def masked(message: str, node: Node) -> str:
            message = redact(message)
            for scalar in scalars(node) if self._expanded else ():
                expanded = self._expanded.get(scalar)
                for value, written in expanded.given if expanded else ():
                    if len(value) >= SHORTEST:
                        message = _without_parts(Redactor([value])(message, written), value)
            return message

        return masked

    def _secrets_of(self, check: Map, model: type[BaseModel]) -> Iterable[str]:
        yield from self.secrets(check)
        for key, entry in check.entries.items():
            for scalar in scalars(entry.node):
                text = self._text(scalar)
                if key in secret_fields(model):
                    yield text
                if key in url_fields(model) or "://" in text:
                    yield from secrets_of_url(text)[0]

    def _text(self, scalar: Scalar) -> str:
        expanded = self._expanded.get(scalar)
        return expanded.text if expanded else scalar.text


def _without_parts(message: str, value: str) -> str:
    """A message without what it quotes from the middle of a value (`no unit 'parsecs'`)."""
    return _QUOTED.sub(lambda found: "'…'" if (found[1] or found[2]) in value else found[0], message)
