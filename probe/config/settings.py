"""What a config says about the agent itself, and `Config`: all that a config comes to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from probe.check import Check, Secret
from probe.config.sources import Source

_LISTEN = re.compile(r"(?P<host>\[[0-9a-fA-F:.%]+\]|[^\s:/\[\]]*):(?P<port>\d{1,5})")
_FROZEN = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class BasicAuth(BaseModel):
    """The one user who may look."""

    model_config = _FROZEN

    username: str = Field(min_length=1, pattern="^[^:]*$")
    """Name to log in with; no colon."""
    password: Secret = Field(min_length=1)
    """Password to log in with, clear: best from `${file:/run/secrets/…}`."""


class WebTls(BaseModel):
    """Certificate and key that the agent serves with."""

    model_config = _FROZEN

    cert: Path
    """PEM file of the certificate and its chain; a relative path starts at the config's folder."""
    key: Path
    """PEM file of the private key; a relative path starts at the config's folder."""


class Web(BaseModel):
    """The agent's own server: where it listens and who may look."""

    model_config = _FROZEN

    listen: str = "127.0.0.1:10115"
    """Address and port, as `127.0.0.1:10115`, `[::1]:10115`, or `:10115` for every address."""
    basic: BasicAuth | None = None
    """Ask for this user name and password."""
    bearer_token: Secret | None = Field(default=None, min_length=1)
    """Let in who sends this token as `Authorization: Bearer …`."""
    tls: WebTls | None = None
    """Serve HTTPS."""

    @field_validator("listen")
    @classmethod
    def _is_address(cls, text: str) -> str:
        listen_address(text)
        return text

    @property
    def address(self) -> tuple[str, int]:
        """Host (empty: every address) and port to listen on."""
        return listen_address(self.listen)


class Settings(BaseModel):
    """The agent's settings; they stand in one file, however many files there are."""

    model_config = _FROZEN

    web: Web = Field(default_factory=Web)
    """The agent's own server."""
    state_dir: Path | None = None
    """Folder that keeps the states over a restart; a relative path starts at the config's folder. Default: none."""
    env_file: tuple[str, ...] = ()
    """Env files to read besides `.env`, the last one wins; a relative path starts at the config's folder."""

    @model_validator(mode="before")
    @classmethod
    def _one_env_file(cls, written: object) -> object:
        if isinstance(written, dict) and isinstance(written.get("env_file"), str):
            return {**written, "env_file": [written["env_file"]]}
        return written

    def seen_from(self, folder: Path) -> Self:
        """The same, with paths that are relative to the config's folder."""
        tls = self.web.tls
        if tls is not None:
            tls = WebTls(cert=folder / tls.cert, key=folder / tls.key)
        web = self.web.model_copy(update={"tls": tls})
        state_dir = None if self.state_dir is None else folder / self.state_dir
        return self.model_copy(update={"web": web, "state_dir": state_dir})


@dataclass(frozen=True, slots=True)
class Config:
    """A whole config, from however many files: what the agent swaps in at once."""

    checks: Mapping[str, Check]
    """By name, in the order of the files and within them."""
    web: Web = field(default_factory=Web)
    state_dir: Path | None = None
    sources: tuple[Source, ...] = ()
    """Every file that was read or missed: configs, folders of them, env files, secrets."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "checks", MappingProxyType(dict(self.checks)))


def listen_address(text: str) -> tuple[str, int]:
    """Host (empty: every address) and port of `host:port`. Raises ValueError with a text for people."""
    found = _LISTEN.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        raise ValueError("must be host:port, as in 127.0.0.1:10115 or :10115")
    return found["host"].strip("[]"), int(found["port"])
