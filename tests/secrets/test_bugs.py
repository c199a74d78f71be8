"""Kinds that have a bug, and say their secrets wherever they can: errors and their causes, notes, asyncio tasks."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest

from probe import log
from probe.check import Check, Failure, Garbled, Run, Secret, Unfinished, Url, survey
from probe.exchange.answer import excerpt
from probe.model import Reason, Result, gauge
from tests.harness import run
from tests.logs import own_log
from tests.secrets.leaks import Detector, nasty

PASSWORD, TOKEN, FILE = nasty("bug-password"), nasty("bug-token"), nasty("bug-file")
LINES = "\n".join(nasty(f"bug-line-{number}") for number in range(3))
MADE = nasty("bug-made")
DETECTOR = Detector(
    {"password": [PASSWORD], "token": [TOKEN], "file": [FILE], "lines": LINES.split("\n"), "made": [MADE]}
)


class Talkative(Check, kind="talkative"):
    """Says what it knows."""

    url: Url = f"https://visitor:{quote(PASSWORD, safe='')}@example/?token={quote(TOKEN, safe='')}"
    key: Secret = Secret(LINES)

    class metrics:
        version_info = gauge("Always 1; what a server says of itself.", "version")

    survey_interval: float = 10.0
    survey_timeout: float = 1.0

    @property
    def known(self) -> str:
        basic = base64.b64encode(f"visitor:{PASSWORD}".encode()).decode()
        texts = (self.url, PASSWORD, TOKEN, FILE, LINES, basic, repr(PASSWORD.encode()), self.key.get_secret_value())
        return " ".join(texts)

    async def run(self, run: Run) -> None:
        run.note(self.known)
        run.emit(self.metrics.version_info, 1, version=f"a{self.known}")
        run.emit(self.metrics.version_info, 1, version=PASSWORD)
        run.emit(self.metrics.version_info, 1, version=f"{'x' * 220}{PASSWORD}")
        with run.step("talk"):
            try:
                raise KeyError(self.known)
            except KeyError as error:
                raise ExceptionGroup(self.known, [RuntimeError(self.known), ValueError(self.known)]) from error

    @survey(interval="survey_interval", timeout="survey_timeout")
    async def unfinished(self, run: Run) -> None:
        raise Unfinished(self.known)


class Refused(Talkative, kind="refused"):
    """Fails as a kind should, but with a long text."""

    async def run(self, run: Run) -> None:
        raise Garbled(f"{'x' * 3970}{self.known}")


class Unopened(Talkative, kind="unopened"):
    """Its session can't be opened."""

    @asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        raise OSError(self.known)
        yield


class Tokened(Talkative, kind="tokened"):
    """Makes a token from its secret, and says it."""

    async def run(self, run: Run) -> None:
        run.hide(MADE)
        run.note(excerpt(f"{'x' * 190}{MADE}{MADE}"))
        run.emit(self.metrics.version_info, 1, version=MADE)
        raise RuntimeError(f"{MADE} in {quote(MADE)}")


class Careless(Talkative, kind="careless"):
    """Leaves an asyncio task behind that fails when nobody looks."""

    async def run(self, run: Run) -> None:
        async def fails() -> None:
            raise RuntimeError(self.known)

        asyncio.ensure_future(fails())  # noqa: RUF006  # that is what is careless
        await asyncio.sleep(0.01)


class Unspeakable(Talkative, kind="unspeakable"):
    """Its error can't be told."""

    class Broken(Failure):
        def __str__(self) -> str:
            raise RuntimeError(f"of {PASSWORD}")

    async def run(self, run: Run) -> None:
        raise self.Broken


def all_of(result: Result) -> str:
    return repr(result)


@pytest.mark.parametrize("level", log.LEVELS)
@pytest.mark.parametrize("kind", [Talkative, Refused, Unopened, Tokened, Careless, Unspeakable])
def test_a_bug_says_masks(kind: type[Talkative], level: str, capsys: pytest.CaptureFixture[str]) -> None:
    check = kind(name="a").with_secrets(frozenset([FILE]))

    async def story() -> list[Result]:
        return [await run(check, survey) for survey in ("", *check.surveys)]

    with own_log():
        log.mask(log.set_up(level), [check.redact])
        results = asyncio.run(story())
    said = capsys.readouterr().err
    told = "\n".join([*map(all_of, results), said, repr(check), f"{check}", repr([check])])
    assert DETECTOR.leaks(told) == []
    assert "***" in told
    if kind in (Talkative, Tokened, Unspeakable):
        assert results[0].reason is Reason.INTERNAL


class Named(Check, kind="named"):
    """Tells the sizes of databases, of which one is called as the password is, and one is a secret."""

    password: Secret = Secret("postgres")
    token: Secret = Secret("s3cr3t")

    class metrics:
        size_bytes = gauge("Size of a database.", "datname")

    async def run(self, run: Run) -> None:
        for size, name in enumerate(["postgres", "shop_s3cr3t", "s3cr3t", "%73%33cr3t"]):
            run.emit(self.metrics.size_bytes, size, datname=name)


async def test_of_labels_plain_words_stay_and_of_those_that_become_one_the_first() -> None:
    result = await run(Named(name="a"))
    assert [(sample.labels, sample.value) for sample in result.samples] == [
        (("postgres",), 0),
        (("shop_***",), 1),
        (("***",), 2),
    ]


@pytest.mark.parametrize("spelling", [str, quote, repr, lambda text: repr(text.encode()), lambda text: text * 2])
@pytest.mark.parametrize("length", range(3, 45, 3))
def test_a_secret_that_was_cut_off(spelling: Callable[[str], str], length: int) -> None:
    check = Talkative(name="a")
    for end in ("", "...", "…'"):
        text = f"it said: {spelling(PASSWORD)[: length + 1]}{end}"
        assert DETECTOR.leaks(check.redact.beginning(text)) == []
