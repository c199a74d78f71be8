"""Secrets leave no run, log, page or error: every spelling of them becomes `***`. Standard library only.

A text is read as whoever decodes it would read it (percent-encoding, HTML, escapes of JSON and Python), so that one
secret has one form, however it is mixed. Base64 has no such reading: there the forms are what it makes of a secret.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from functools import cached_property

from probe.redact.reading import BROKEN_ESCAPE, Reading, reading, readings
from probe.redact.sources import secrets_of_text, secrets_of_url

__all__ = ["MASK", "SHORTEST", "JoinedRedactor", "Redactor", "hidden", "secrets_of_text", "secrets_of_url"]

MASK = "***"
SHORTEST = 3
"""Secrets that say less (spaces and backslashes aside) are not looked for: they would mask half of every word."""

SHORTEST_CORE = 6
"""The same for a piece of base64 and for a line of a secret, which mean nothing by themselves."""

_WORD = re.compile("[a-z]{1,12}")
_CUT = re.compile(r"(\.\.\.|…)")
_URL_SAFE = str.maketrans("+/", "-_")

Find = Callable[[str, int], tuple[int, int] | None]
"""Where the next secret is in a text that was read, from a place on: its beginning and its end."""


class Redactor:
    """Replaces some secrets in a text, however they are spelt there."""

    def __init__(self, secrets: Iterable[str] = (), logins: Iterable[tuple[str, str]] = ()) -> None:
        """`secrets` are texts to hide, `logins` pairs (user, password) that may travel as Basic credentials."""
        pairs = list(logins)
        texts = {*secrets, *(password for _, password in pairs)}
        forms = {form for secret in texts for form in _forms(secret)}
        forms |= {_encoded(f"{user}:{password}") for user, password in pairs}
        self.forms = frozenset([form for form in forms if len(form) >= SHORTEST])

    def __call__(self, text: str, mask: str = MASK) -> str:
        return _masked(text, self._find, mask) if self.forms else text

    def and_also(self, secret: str) -> "Redactor":
        """One that hides this too."""
        return self._with(self.forms | Redactor([secret]).forms)

    @cached_property
    def for_names(self) -> "Redactor":
        """The same for what is mostly names: less plain words, as many a weak password is also a database's name."""
        return self._with(form for form in self.forms if not _WORD.fullmatch(form))

    def _with(self, forms: Iterable[str]) -> "Redactor":
        other = Redactor()
        other.forms = frozenset(forms)
        return other

    def beginning(self, text: str) -> str:
        """The same for a text that may be cut off, at its end or at an ellipsis: there also for a part of a secret."""
        if not self.forms:
            return text
        return "".join(self._without_part(piece) for piece in _CUT.split(self(text)))

    def _without_part(self, text: str) -> str:
        whole = BROKEN_ESCAPE.sub("", text)
        read, starts = reading(whole)
        longest = max((_overlap(read, form) for form in self.forms), default=0)
        return text if longest < SHORTEST else text[: starts[len(read) - longest]] + MASK

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Made when a secret is found: in most checks' texts none ever is, and it costs more than all the rest."""
        longest_first = sorted(self.forms, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first)))

    def _find(self, read: str, at: int) -> tuple[int, int] | None:
        if not any(read.find(form, at) >= 0 for form in self.forms):
            return None
        found = self._pattern.search(read, at)
        return found.span() if found else None


class JoinedRedactor:
    """Replaces all that any of several redactors replaces; ten thousand of them take a line no longer than one.

    As a pattern their forms would take seconds to compile, and then as many tries at each character.
    """

    def __init__(self, redactors: Iterable[Redactor] = ()) -> None:
        forms = {form for redactor in redactors for form in redactor.forms}
        self._by_start: dict[str, list[str]] = {}
        for form in sorted(forms, key=len, reverse=True):
            self._by_start.setdefault(form[:SHORTEST], []).append(form)

    def __call__(self, text: str) -> str:
        return _masked(text, self._find) if self._by_start else text

    def _find(self, read: str, at: int) -> tuple[int, int] | None:
        for start in range(at, len(read) - SHORTEST + 1):
            for form in self._by_start.get(read[start : start + SHORTEST], ()):
                if read.startswith(form, start):
                    return start, start + len(form)
        return None


hidden: ContextVar[Redactor] = ContextVar("probe_hidden", default=Redactor())  # noqa: B039  # it never changes
"""What is secret of the check that runs here. Set by the runner; asked by whoever cuts a text of a server's."""


def _masked(text: str, find: Find, mask: str = MASK) -> str:
    """In every layer: a backslash or % that happens to stand before a secret is no escape."""
    spans = [span for reading in readings(text) for span in _found(reading, find)]
    pieces: list[str] = []
    kept = 0
    for start, end in sorted(spans):
        if start >= kept:
            pieces += text[kept:start], mask
        kept = max(kept, end)
    return "".join([*pieces, text[kept:]])


def _found(reading: Reading, find: Find) -> Iterator[tuple[int, int]]:
    """Where secrets begin and end in the text that says so."""
    read, starts = reading
    at = 0
    while (found := find(read, at)) is not None:
        start, at = found
        yield starts[start], starts[at]


def _forms(secret: str) -> set[str]:
    """What a secret is in clear, in base64, and in a text that has it in whatever spelling, once that was read."""
    read = reading(secret)[0]
    lines = [line for line in secret.splitlines() if len(line) >= SHORTEST_CORE] if "\n" in secret else []
    forms = {secret, read, read.strip(), _encoded(secret), *_base64_cores(_bytes(secret))}
    return forms.union(*map(_forms, lines)) - {""}


def _encoded(secret: str) -> str:
    return reading(base64.b64encode(_bytes(secret)).decode())[0]


def _overlap(read: str, form: str) -> int:
    """How many characters at the end of a text are the beginning of a form."""
    lengths = range(min(len(form) - 1, len(read)), 0, -1)
    return next((length for length in lengths if read.endswith(form[:length])), 0)


def _bytes(text: str) -> bytes:
    """UTF-8; and what an environment variable that is none was read from."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")


def _base64_cores(raw: bytes) -> set[str]:
    """What base64 makes of `raw` wherever it starts in a longer text, less what its neighbours touch."""
    if len(raw) < SHORTEST:
        return set()
    cores = set()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        first = -(-before * 8 // 6)
        last = (before + len(raw)) * 8 // 6
        text = encoded[first:last]
        spelt = {text} if text.isalnum() else {reading(text)[0].strip(), text.translate(_URL_SAFE)}
        cores |= {core for core in spelt if len(core) >= SHORTEST_CORE}
    return cores
