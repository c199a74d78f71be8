"""How to speak TLS: the `tls:` of a check, and the contexts made from it, built once each."""

import os
import ssl
from functools import lru_cache
from typing import Any

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from probe.check import Part, Untrusted
from probe.exchange.hosts import Host, can_be_host


class Tls(Part):
    """Whom to trust and as whom to appear. Paths are of PEM files; they are read again when they change."""

    ca: str | None = None
    """File of the certificates to trust, instead of the system's."""
    cert: str | None = None
    """File of the client certificate to show, its chain after it."""
    key: str | None = None
    """File of the client certificate's private key; without it the key is looked for in `cert`."""
    server_name: Host | None = None
    """The name that the server's certificate must be for, and that is announced (SNI). Default: the host."""
    insecure: bool = False
    """Accept any certificate. The connection is still encrypted, but with whom is not known."""

    @model_validator(mode="after")
    def _key_has_cert(self) -> "Tls":
        if self.key and not self.cert:
            raise PydanticCustomError("tls", "key is given without cert; add the certificate that it belongs to")
        return self

    def name_for(self, host: str) -> str:
        """The name to announce and to check when connecting to `host`. Raises Untrusted for what is no name."""
        name = self.server_name or host
        if not can_be_host(name):  # a Host header, which may be anything
            raise Untrusted(f"{name!r} is no name that a certificate could be for")
        return name

    def context(self, host: str) -> ssl.SSLContext:
        """A context that announces and checks this host's name, even when a driver connects to its IP address.

        Raises Untrusted when a file can't be read. Contexts for many hosts share one set of trusted certificates.
        """
        return _named(self.shared_context(), self.name_for(host))

    def shared_context(self) -> ssl.SSLContext:
        """The context for callers that give `server_hostname` (see `name_for`) themselves. Raises Untrusted."""
        return _built(self, tuple([_version(path) for path in (self.ca, self.cert, self.key)]))

    def unverified(self) -> "Tls":
        """The same, accepting any certificate: to read a chain that does not verify."""
        return self.model_copy(update={"insecure": True})


class _NamedContext(ssl.SSLContext):
    """Hands every connection to a shared context, under one fixed name: loading the system's CAs costs 10 ms."""

    _shared: ssl.SSLContext
    _name: str

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        return self._shared.wrap_bio(*args[:2], **{**kwargs, "server_hostname": self._name})

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        return self._shared.wrap_socket(*args[:1], **{**kwargs, "server_hostname": self._name})


@lru_cache(maxsize=4096)
def _named(shared: ssl.SSLContext, name: str) -> ssl.SSLContext:
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = shared.check_hostname
    context.verify_mode = shared.verify_mode
    context._shared, context._name = shared, name  # noqa: SLF001  # its own
    return context


@lru_cache(maxsize=256)
def _built(tls: Tls, versions: tuple[object, ...]) -> ssl.SSLContext:
    """`versions` tell the files' content apart, so that a renewed certificate is read."""
    context = _trusting(tls.ca)
    # As Go, curl and Python before 3.13: what `ca` names is trusted, and a private CA may lack an extension.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert:
        try:
            context.load_cert_chain(tls.cert, tls.key, password=_no_password)
        except (OSError, ValueError) as error:
            raise Untrusted(f"can't use the client certificate {_files(tls)}: {_why(error)}") from error
    return context


def _trusting(ca: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:
        raise Untrusted(f"can't use the CA file {ca}: {_why(error)}") from error


def _no_password() -> str:
    raise ValueError("its key is encrypted; decrypt it first (openssl pkey)")


def _files(tls: Tls) -> str:
    return f"{tls.cert} with {tls.key}" if tls.key else f"{tls.cert}"


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        if "PEM" in str(error) or error.reason == "NO_CERTIFICATE_OR_CRL_FOUND":
            return "it does not hold the PEM texts that it should"
        return (error.reason or str(error)).replace("_", " ").lower()
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def _version(path: str | None) -> object:
    if path is None:
        return None
    try:
        read = os.stat(path)
    except (OSError, ValueError):  # ValueError: a NUL in it, which reading it will tell
        return None
    return read.st_mtime_ns, read.st_size, read.st_ino
