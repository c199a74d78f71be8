"""Where to log in, and as whom: from a DSN as libpq reads it, or from separate fields."""

import re
import ssl
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from probe.exchange import Tls
from probe.exchange.hosts import can_be_host

PORT = 5432
_PLACE = re.compile(r"(?:\[(?P<v6>[^]]*)\]|(?P<host>[^:]*))(?::(?P<port>.*))?")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class LoginError(ValueError):
    """A DSN that can't be used; the message says why and how to mend it."""


class Login(NamedTuple):
    """Everything that a login needs. `host`: a name, an address, or the folder of a Unix socket (`/run/postgresql`).

    `tls` None: in plain. `tls_if_offered`: in plain when the server has none.
    """

    host: str
    port: int
    user: str
    password: str
    database: str
    tls: Tls | None
    tls_if_offered: bool = False

    @property
    def socket_file(self) -> str:
        """Path of the server's Unix socket; empty when it is reached by TCP."""
        return f"{self.host}/.s.PGSQL.{self.port}" if self.host.startswith("/") else ""

    @property
    def where(self) -> str:
        """The server, for people."""
        return self.socket_file or (f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}")


class AnyName(Tls):
    """libpq's verify-ca: the certificate must come from a known CA, for whomever it is."""

    def shared_context(self) -> ssl.SSLContext:
        context = super().shared_context()  # one of its own: this class never equals another one
        context.check_hostname = False
        return context


def of_dsn(dsn: str, apart: str = "", tls: Tls | None = None) -> Login:
    """What a DSN says. `apart`: the password, if the DSN has none; `tls` in place of its sslmode. Raises LoginError.

    Parameters that only concern an application (SQLAlchemy's, Prisma's) are passed over.
    """
    parts = _split(dsn)
    said = dict(parse_qsl(parts.query))
    userinfo, _, place = parts.netloc.rpartition("@")
    user, _, password = userinfo.partition(":")
    password = unquote(password) or said.get("password", "")
    if password and apart:
        raise LoginError("say it once: the password either in the dsn or apart from it")
    host, port = _host_and_port(said.get("host") or place, said.get("port"))
    if tls is not None and ("sslmode" in said or "ssl" in said):
        raise LoginError("say it once: either tls here or sslmode in the dsn")
    user = unquote(user) or said.get("user", "")
    if not user:
        raise LoginError("the dsn names no user; write postgresql://user:password@host/database")
    return Login(
        host,
        port,
        user,
        password or apart,
        unquote(parts.path.removeprefix("/")) or said.get("dbname", "") or user,
        *((tls, False) if tls is not None else _of_mode(said)),
    )


def without_mode(tls: Tls | None) -> tuple[Tls | None, bool]:
    """TLS as a login wants it that names no sslmode: libpq's `prefer`, unless there is `tls`."""
    return (tls, False) if tls is not None else _of_mode({})


def is_place(host: str) -> bool:
    """Whether one can connect to it: a name, an IP address, or the folder of a Unix socket."""
    return can_be_host(host) or (host.startswith("/") and "\0" not in host)


def _split(dsn: str) -> SplitResult:
    try:
        parts = urlsplit(dsn)
    except ValueError:
        raise LoginError("the dsn is no URL; write postgresql://user:password@host:5432/database") from None
    if "\0" in unquote(dsn):
        raise LoginError("the dsn holds a NUL, which no name of PostgreSQL can; write it without %00")
    if parts.scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise LoginError("the dsn does not begin with postgresql://; write postgresql://user:password@host/database")
    return parts


def _host_and_port(place: str, port: str | None) -> tuple[str, int]:
    if not place:
        raise LoginError("the dsn names no host; write postgresql://user:password@host/database")
    if "," in place:
        raise LoginError("the dsn names several hosts; a check watches one server, so give each a check of its own")
    found = None if place.startswith("/") else _PLACE.fullmatch(place)
    host, written = (found["v6"] or found["host"], port or found["port"]) if found else (place, port)
    if written and not (written.isdecimal() and len(written) < 6 and 0 < int(written) < 65536):
        raise LoginError("the dsn's port is no number from 1 to 65535")
    if not is_place(unquote(host)):
        raise LoginError("the dsn's host is no name of one, no IP address, and no folder of a socket")
    return unquote(host), int(written or PORT)


def _of_mode(said: Mapping[str, str]) -> tuple[Tls | None, bool]:
    mode = said.get("sslmode") or said.get("ssl") or "prefer"
    if mode not in SSL_MODES:
        raise LoginError(f"the dsn's sslmode is none of {', '.join(SSL_MODES)}")
    if mode == "disable":
        return None, False
    if "sslkey" in said and "sslcert" not in said:
        raise LoginError("sslkey is given without sslcert in the dsn")
    files = {"ca": said.get("sslrootcert"), "cert": said.get("sslcert"), "key": said.get("sslkey")}
    if mode == "verify-full":
        return Tls(**files), False
    if mode == "verify-ca" or (mode == "require" and files["ca"]):
        return AnyName(**files), False
    return Tls(**{**files, "ca": None}, insecure=True), mode in ("allow", "prefer")
