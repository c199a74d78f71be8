"""config.yaml, from bytes to frozen checks: every mistake of every file at once, each at its line and column."""

from probe.config.load import MOST_CHECKS, load
from probe.config.places import Complaint, ConfigError, Place
from probe.config.settings import BasicAuth, Config, Settings, Web, WebTls, listen_address
from probe.config.sources import Source, changed

__all__ = [
    "MOST_CHECKS",
    "BasicAuth",
    "Complaint",
    "Config",
    "ConfigError",
    "Place",
    "Settings",
    "Source",
    "Web",
    "WebTls",
    "changed",
    "listen_address",
    "load",
]
