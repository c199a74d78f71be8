"""`probe status`: the board of a running agent."""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

import aiohttp
import click

from probe.cli import board
from probe.cli.options import ConfigOptions, config_options
from probe.config import Web
from probe.exchange.request import basic, is_address
from probe.state.document import VERSION

TIMEOUT = 10.0
"""Seconds that the agent has to answer."""

ILL = 1
"""Exit code when the agent does not answer, or says that it is ill."""


@click.command(name="status")
@config_options
@click.option("--url", help="Where the agent serves. Default: the config's web.listen.")
@click.option(
    "--self", "self_only", is_flag=True, help="Ask only whether the agent itself works (a container's healthcheck)."
)
@click.option("--strict", is_flag=True, help="Let a degraded check fail.")
@click.option("--explain", is_flag=True, help="Show the steps of each last run.")
@click.option("--output", "-o", type=click.Choice(board.OUTPUTS), help="Default: a table on a terminal, else plain.")
def command(
    options: ConfigOptions, url: str | None, self_only: bool, strict: bool, explain: bool, output: str | None
) -> None:
    """Show the board of a running agent; the login is taken from the config's `web`.

    Exit code as of `probe check`; 1 also when no agent answers.
    """
    web = _web(options)
    where = (_url(web) if url is None else url).rstrip("/")
    if not is_address(where) or any(mark in where for mark in "@?#"):
        told = "must be http:// or https://, a host and perhaps a port; the login is taken from the config's web"
        raise click.BadParameter(told, param_hint="--url")
    if self_only:
        status, text = asyncio.run(_get(where, "/-/healthy", web))
        click.echo(text.strip())
        sys.exit(0 if status == 200 else ILL)
    document = _board(where, *asyncio.run(_get(where, "/api/v1/checks", web)))
    head = {key: value for key, value in document.items() if key != "checks"}
    board.show(document["checks"], output, explain=explain, head=head)
    sys.exit(board.exit_code(document["checks"], strict=strict))


def _web(options: ConfigOptions) -> Web:
    """The server's settings; the default ones where there is no config.yaml and none was named."""
    return Web() if options.none_is_there else options.read_or_exit().web


def _url(web: Web) -> str:
    host, port = web.address
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # where to ask, not to bind
    return f"{'https' if web.tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def _board(where: str, status: int, text: str) -> Mapping[str, Any]:
    if status != 200:
        mend = "log in with web.basic or web.bearer_token" if status == 401 else "is it probe?"
        _exit_ill(f"{where} answers {status}: {mend}")
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not (isinstance(document, dict) and document.get("version") == VERSION):
        _exit_ill(f"{where} is not probe, or another version of it")
    return document


async def _get(where: str, path: str, web: Web) -> tuple[int, str]:
    """Status and body of the agent's answer."""
    headers = {}
    if web.bearer_token is not None:
        headers["Authorization"] = f"Bearer {web.bearer_token.get_secret_value()}"
    elif web.basic is not None:
        headers["Authorization"] = basic(web.basic.username, web.basic.password.get_secret_value())
    is_own = web.tls is not None and urlsplit(where).hostname in ("127.0.0.1", "::1", "localhost")
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            # On loopback the certificate is for another name, and nobody is in between.
            session.get(where + path, ssl=not is_own) as response,
        ):
            return response.status, await response.text(errors="replace")
    except (aiohttp.ClientError, TimeoutError) as error:
        _exit_ill(f"no agent answers at {where}: {str(error) or 'no answer in time'}")


def _exit_ill(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(ILL)
