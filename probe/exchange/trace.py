"""What was measured of one HTTP exchange over all its redirects, kept also when it failed half-way."""

from dataclasses import dataclass, field
from typing import NamedTuple

from multidict import CIMultiDictProxy

from probe.exchange.link import Link


class Head(NamedTuple):
    """An answer less its body. `content_length` is -1 when the answer does not say."""

    status: int
    version: tuple[int, int]
    headers: CIMultiDictProxy[str]
    content_length: int


@dataclass(slots=True)
class Trace:
    """The phases by name (seconds, summed over redirects) and what the last hop brought.

    A phase counts when it ended; connect and tls when the whole connection stood; resolve always.
    """

    phases: dict[str, float] = field(default_factory=dict)
    first: Link = field(default_factory=Link)
    link: Link = field(default_factory=Link)
    head: Head | None = None
    redirects: int = 0
    body_length: int = 0

    def begin_hop(self) -> None:
        """Forget the last hop's answer."""
        self.link = Link()
        if self.redirects == 0:
            self.first = self.link
        self.head = None

    def note_attempt(self) -> None:
        """Add up the look-up; once there is an address, every phase is shown, from 0."""
        link = self.link
        self.add("resolve", link.resolve or 0.0)
        if link.address is not None:
            for phase in ("connect", "tls", "processing", "transfer"):
                self.phases.setdefault(phase, 0.0)

    def note_connected(self) -> None:
        """Add up connecting and encrypting: they count when the whole connection stands."""
        self.add("connect", self.link.connect or 0.0)
        self.add("tls", self.link.tls or 0.0)

    def add(self, phase: str, seconds: float) -> None:
        self.phases[phase] = self.phases.get(phase, 0.0) + seconds
