"""What several kinds share: names, sockets, TLS, an HTTP exchange, each step timed on the run."""

from probe.exchange.answer import Answer, excerpt
from probe.exchange.blackbox import (
    FAILED_DUE_TO_REGEX,
    HttpMetrics,
    NameMetrics,
    TlsMetrics,
    emit_http,
    emit_names,
    emit_tls,
)
from probe.exchange.http import FAILURES, ask, fetch, get_json, get_text, successful
from probe.exchange.link import Link
from probe.exchange.names import Address, Family, Resolver, resolve
from probe.exchange.request import Request, request
from probe.exchange.sockets import connect, open_stream
from probe.exchange.tls import Tls
from probe.exchange.trace import Trace

__all__ = [
    "FAILED_DUE_TO_REGEX",
    "FAILURES",
    "Address",
    "Answer",
    "Family",
    "HttpMetrics",
    "Link",
    "NameMetrics",
    "Request",
    "Resolver",
    "Tls",
    "TlsMetrics",
    "Trace",
    "ask",
    "connect",
    "emit_http",
    "emit_names",
    "emit_tls",
    "excerpt",
    "fetch",
    "get_json",
    "get_text",
    "open_stream",
    "request",
    "resolve",
    "successful",
]
