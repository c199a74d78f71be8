"""The log: one line an event, in UTC, without a secret in it."""

import logging
import re
from collections.abc import Iterator

import pytest

from probe import log
from probe.redact import Redactor
from tests.logs import own_log

SECRET = Redactor(["s3cret/päss"], [("app", "s3cret/päss")])


@pytest.fixture(autouse=True)
def _as_in_a_process_of_its_own() -> Iterator[None]:
    with own_log():
        yield


def test_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up()
    logging.getLogger("probe.agent").warning("%s: %s -> %s", "db", "healthy", "unhealthy")
    line = capsys.readouterr().err
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING db: healthy -> unhealthy\n", line)


def test_its_time_is_utc() -> None:
    record = logging.LogRecord("probe", logging.INFO, __file__, 1, "noon", None, None)
    record.created, record.msecs = 1_790_000_000.25, 250.0
    assert log.Masking().format(record) == "2026-09-21T14:13:20.250Z INFO    noon"


@pytest.mark.parametrize(
    "spelling",
    ["s3cret/päss", "s3cret%2Fp%C3%A4ss", "s3cret%2fp%c3%a4ss", "s3cret/p%C3%A4ss", "YXBwOnMzY3JldC9ww6Rzcw=="],
)
def test_secrets_are_masked_in_every_spelling(capsys: pytest.CaptureFixture[str], spelling: str) -> None:
    log.mask(log.set_up(), [Redactor(["another"]), SECRET])
    logging.getLogger("asyncpg").error("login failed: %s (another try)", spelling)
    assert capsys.readouterr().err.endswith(" ERROR   login failed: *** (*** try)\n")


def test_secrets_are_masked_in_tracebacks(capsys: pytest.CaptureFixture[str]) -> None:
    masking = log.set_up()
    log.mask(masking, [SECRET])
    try:
        try:
            raise OSError("postgresql://app:s3cret%2Fp%C3%A4ss@db/app")
        except OSError as error:
            raise ValueError("s3cret/päss") from error
    except ValueError:
        logging.getLogger("probe").exception("a bug")
    told = capsys.readouterr().err
    assert "OSError: postgresql://app:***@db/app" in told
    assert "ValueError: ***" in told
    assert "s3cret%2F" not in told


def test_what_is_masked_is_replaced_as_a_whole(capsys: pytest.CaptureFixture[str]) -> None:
    masking = log.set_up()
    log.mask(masking, [SECRET])
    log.mask(masking, [Redactor(["another"])])
    logging.getLogger("probe").error("s3cret/päss another")
    assert capsys.readouterr().err.endswith("s3cret/päss ***\n")


@pytest.mark.parametrize("level", log.LEVELS)
def test_libraries_that_tell_every_step_are_quiet(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up(level)
    logging.getLogger("botocore.auth").info("signature")
    logging.getLogger("botocore.auth").debug("canonical request")
    assert capsys.readouterr().err == ""
