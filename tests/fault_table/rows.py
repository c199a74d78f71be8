"""What the test module of a kind says for the fault table, under the name `ROWS`.

ROWS = Rows(
    pointed_at=lambda host, port, tls: Nginx(name="web", url=f"http://{host}:{port}/nginx_status"),
    healthy=nginx_on_a_port,
    endless=(b"HTTP/1.1 200 OK\\r\\n\\r\\n", b"x" * 1024),
    own={"wrong password": "it has no login", ...},
)
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from probe.check import Check
from probe.model import Reason

Trust = Mapping[str, Any] | None
"""A check's `tls:` (`{"ca": path}`); None: it is to speak in plain."""

Expected = Reason | Mapping[str, Reason]
"""A reason for the run and every survey, or one for surveys by name, and under "" for the run and the others."""

OWN = ("wrong password", "missing permission", "too many connections", "starting up", "read-only")
"""Faults that only a server of the kind can have. A kind says of each how to meet it, or why there is none."""


@dataclass(frozen=True)
class Own:
    """A fault of the kind's own: makes the server that has it (in a folder that goes) and yields the check of it.

    `service`: what must be installed for it.
    """

    make: Callable[[Path], AbstractAsyncContextManager[Check]]
    expected: Expected
    service: str = ""


@dataclass(frozen=True)
class Rows:
    """All that the table can't know by itself."""

    pointed_at: Callable[[str, int, Trust], Check]
    """A check of whatever waits at a host and port, with its surveys; of the `healthy` server it is ok."""

    healthy: Callable[[Path], AbstractAsyncContextManager[int]]
    """A real server of the kind, in a folder that goes; yields its port on 127.0.0.1."""

    endless: tuple[bytes, ...]
    """What is said to one thing after the other that is asked, and at last what may come again and again after that,
    without ever ending the answer."""

    own: Mapping[str, Own | str]
    """Each of OWN, and whatever else this kind can meet; a text says why there is none."""

    before_tls: bytes = b""
    """What a server says to a request to encrypt, where TLS does not begin with the first byte."""

    differs: Mapping[str, Expected] = field(default_factory=dict)
    """Where this kind's reason is not the usual one, by the name of the fault."""

    strangers: Mapping[str, Expected] = field(default_factory=dict)
    """What checks of other kinds, by name, say of the `healthy` server; "": what all others say (`protocol`)."""
