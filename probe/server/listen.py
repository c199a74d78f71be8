"""Binding the server to its address, and saying clearly why that can't be."""

import errno
import logging
import os
import ssl
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

SHUTDOWN_TIMEOUT = 1.0
"""Seconds that an answer under way has left when the agent ends."""

_IDLE = 75.0
"""Seconds until an idle connection is closed; longer than the usual scrape interval."""


_log = logging.getLogger(__name__)


class CannotListen(Exception):
    """The server can't be started as configured; the message says why and how to mend it."""


async def serve(app: web.Application, address: tuple[str, int], tls: ssl.SSLContext | None = None) -> web.AppRunner:
    """Serve on host (empty: every address) and port (0: any free one; see the runner's `addresses`).

    The caller ends it with `await runner.cleanup()`. Raises CannotListen.
    """
    host, port = address
    _log.addFilter(_is_ours)
    runner = web.AppRunner(
        app,
        handle_signals=False,
        logger=_log,
        access_log=None,
        shutdown_timeout=SHUTDOWN_TIMEOUT,
        keepalive_timeout=_IDLE,
        lingering_time=1.0,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host or None, port, ssl_context=tls).start()
    except OSError as error:
        await runner.cleanup()
        raise CannotListen(_told(host, port, error)) from None
    return runner


def tls_context(cert: Path, key: Path) -> ssl.SSLContext:
    """The server's side of TLS with this certificate (PEM, its chain after it) and key. Raises CannotListen."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    for path in (cert, key):
        if not os.access(path, os.R_OK):
            raise CannotListen(f"web.tls: {path} does not exist or may not be read")
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise CannotListen(
            f"web.tls: {cert} and {key} are not a PEM certificate and its unencrypted key ({_why(error)})"
        ) from None
    return context


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether an error is one of ours, and not what a stranger sent in place of HTTP: with that they fill no log."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _no_password() -> str:
    """Keep OpenSSL from asking on the terminal."""
    return ""


def _why(error: Exception) -> str:
    reason = error.reason if isinstance(error, ssl.SSLError) else ""
    return (reason or str(error) or type(error).__name__).lower().replace("_", " ")


def _told(host: str, port: int, error: OSError) -> str:
    where = f"can't listen on {f'[{host}]' if ':' in host else host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return f"{where}: the port is in use; stop who uses it, or choose another with web.listen or --listen"
    if error.errno == errno.EACCES:
        return f"{where}: ports below 1024 need a privilege; choose another with web.listen or --listen"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{where}: this machine has no such address; choose another with web.listen or --listen"
    return f"{where}: {(error.strerror or str(error)).lower()}"
