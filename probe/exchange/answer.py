"""What an HTTP server said."""

import codecs
import json
from dataclasses import dataclass
from typing import Any

from multidict import CIMultiDictProxy

from probe.check import Denied, Garbled, Unhealthy
from probe.redact import hidden

NO_CHARSETS = frozenset(["idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"])
"""Codecs of Python's own: punycode would take hours for 10 MiB."""

LONGEST_EXCERPT = 200
"""Characters of a body that a message shows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `url` is where it came from, less any login; `version` as in `1.1`."""

    url: str
    status: int
    reason: str
    version: str
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def shown(self) -> str:
        """The beginning of the body on one line, for a message."""
        return excerpt(self.text)

    @property
    def text(self) -> str:
        """The body in its declared charset (default UTF-8); what does not decode is replaced."""
        try:
            return self.body.decode(self._charset, errors="replace")
        except LookupError:
            return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body read as JSON. Raises Garbled, with what came instead."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise Garbled(f"{self.url} did not answer in JSON: {self.shown or 'an empty body'}") from None

    def refusal(self, expected: str) -> Denied | Unhealthy:
        """The failure that this status is, where another was `expected`, with what the body says about it."""
        message = f"expected status {expected}, got {self.status}"
        if said := self.shown:
            message += f": {said}"
        elif self.reason:
            message += f" {self.reason}"
        return Denied(message) if self.status in (401, 403, 407) else Unhealthy(message)

    @property
    def _charset(self) -> str:
        _, _, after = self.headers.get("Content-Type", "").lower().partition("charset=")
        charset = codecs.lookup(after.partition(";")[0].strip("\"' ") or "utf-8").name
        return "utf-8" if charset in NO_CHARSETS else charset


def excerpt(text: str, longest: int = LONGEST_EXCERPT, *, is_cut: bool = False) -> str:
    """The beginning of a text on one line. Secrets are hidden before it is cut: nobody would know a part of one.

    `is_cut`: it was cut off before, so that a part of a secret may be at its end.
    """
    part = text[: longest * 8]
    hide = hidden.get().beginning if is_cut or len(part) < len(text) else hidden.get()
    line = " ".join(hide(part).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def excerpt_of_bytes(raw: bytes, longest: int = LONGEST_EXCERPT) -> str:
    """The beginning of bytes, of however many more, that may be no text: in quotes, as Python writes them."""
    return f"'{excerpt(ascii(raw[: longest * 2])[2:-1], longest, is_cut=True)}'"
