"""tcp: does a port accept connections, does it speak TLS, does it answer as it should?

Connect, encrypt if told to, and hold a dialogue of lines. The metric families are blackbox_exporter's.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from probe.check import Check, Problem, Run
from probe.exchange import (
    FAILED_DUE_TO_REGEX,
    Family,
    Link,
    NameMetrics,
    Tls,
    TlsMetrics,
    emit_names,
    emit_tls,
    open_stream,
)
from probe.exchange.hosts import can_be_host
from probe.kinds.tcp.dialogue import Dialogue, Stream, Turn, close
from probe.model import Reason


class Tcp(Check):
    """Opens a connection, encrypts it if told to, and holds a dialogue of lines."""

    address: str
    """Where to connect to, as `host:port` (`[::1]:22` for an IPv6 address)."""
    ip_family: Family = "any"
    """Which addresses of the name to use: any, ip4 or ip6."""
    tls: Annotated[Tls | bool, Field(union_mode="left_to_right")] = False
    """Encrypt from the first byte: true, or whom to trust. A map without that, where a turn says `starttls`, is
    whom to trust then."""
    dialogue: tuple[Turn, ...] = ()
    """What to wait for and what to say, turn by turn; none: a connection is enough."""

    class metrics(NameMetrics, TlsMetrics):
        """Those of blackbox_exporter, with its meanings."""

        failed_due_to_regex = FAILED_DUE_TO_REGEX

    example: ClassVar[str] = r"""
checks:
  web:
    kind: tcp
    address: web.example:3000
  mail:
    kind: tcp
    address: mail.example:25
    dialogue:
      - {expect: "^220 ", send: "EHLO probe\r"}
      - {expect: "^250[ -]STARTTLS", send: "STARTTLS\r"}
      - {expect: "^220 ", starttls: true}
      - {send: "QUIT\r"}
"""
    reasons: ClassVar = {
        Reason.PROTOCOL: "bytes that are no text where a line is awaited, or the connection broke in the dialogue",
        Reason.UNHEALTHY: "the server said other lines than the awaited one",
    }

    @field_validator("address")
    @classmethod
    def _has_port(cls, value: str) -> str:
        host, port = _split(value)
        if not can_be_host(host) or not 0 < port < 65536:
            raise PydanticCustomError("address", "not an address; write host:port, or [::1]:22 for IPv6")
        return value

    async def run(self, run: Run) -> None:
        host, port = _split(self.address)
        link, dialogue = Link(), Dialogue(run)
        try:
            reader, writer = await open_stream(
                run, host, port, tls=self._tls_from_start, family=self.ip_family, link=link
            )
            try:
                await dialogue.hold(self.dialogue, Stream(reader, writer, link, self._trust, host))
            finally:
                await close(writer)
        finally:
            emit_names(run, link)
            emit_tls(run, link)
            run.emit(self.metrics.failed_due_to_regex, not dialogue.as_expected)

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        switches = [number for number, turn in enumerate(self.dialogue) if turn.starttls]
        for number in switches[1:]:
            yield ("dialogue", number, "starttls"), "a connection can be encrypted only once; remove this starttls"
        if switches and self.tls is True:
            yield ("tls",), "tls encrypts from the first byte, starttls later; choose one of them"

    @property
    def _trust(self) -> Tls:
        return self.tls if isinstance(self.tls, Tls) else Tls()

    @property
    def _tls_from_start(self) -> Tls | None:
        later = any(turn.starttls for turn in self.dialogue)
        return self._trust if self.tls is not False and not later else None


def _split(address: str) -> tuple[str, int]:
    """Host and port; (…, 0) when there is no proper port."""
    host, _, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if ":" in host and not bracketed:
        return "", 0
    return host.strip("[]"), int(port) if port.isdecimal() and len(port) < 6 else 0
