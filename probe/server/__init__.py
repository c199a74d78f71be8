"""The agent's own server: /metrics, pages for people, the board as JSON, its own health."""

from probe.server.app import make_app
from probe.server.listen import CannotListen, serve, tls_context
from probe.server.view import Snapshot, View

__all__ = ["CannotListen", "Snapshot", "View", "make_app", "serve", "tls_context"]
