"""No spelling of a secret survives, whatever surrounds it."""

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from probe.redact import MASK, SHORTEST, JoinedRedactor, Redactor, secrets_of_url

SECRETS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="*"), min_size=SHORTEST, max_size=30
).filter(lambda text: len([each for each in text if not each.isspace() and each not in "\\+"]) >= SHORTEST)
AROUND = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="*"), max_size=10)
PASSWORD = "pa/ss wörd%&+\"'\\"


SPELLINGS: dict[str, Callable[[str], str]] = {
    "clear": str,
    "repr": lambda secret: repr(secret)[1:-1],
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON in UTF-8": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "path": quote,
    "percent-encoded": lambda secret: quote(secret, safe=""),
    "form": quote_plus,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(secret=SECRETS, before=AROUND, after=AROUND)
def test_every_spelling_is_masked(spelling: str, secret: str, before: str, after: str) -> None:
    assume(not re.search(r"(\\\w{0,5}|%[0-9a-fA-F]?)$", before))  # half an escape, which the secret would end
    written = SPELLINGS[spelling](secret)
    masked = Redactor([secret])(f"{before}{written}{after}")
    assert MASK in masked
    assert written not in masked


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_nothing_else_is_masked(spelling: str) -> None:
    text = Redactor([PASSWORD])(f"login as app with {SPELLINGS[spelling](PASSWORD)} was refused by 10.0.0.1:5432")
    assert text == f"login as app with {MASK} was refused by 10.0.0.1:5432"


def test_percent_escapes_in_small_letters_keep_the_letters_of_the_secret() -> None:
    escaped = "Pa%2fSS%c3%a9"
    assert Redactor(["Pa/SSé"])(f"GET /?token={escaped} HTTP/1.1") == f"GET /?token={MASK} HTTP/1.1"


@given(
    secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=12, max_size=40),
    before=st.binary(max_size=9),
    after=st.binary(max_size=9),
)
def test_base64_of_a_text_around_a_secret_does_not_give_it_away(secret: str, before: bytes, after: bytes) -> None:
    whole = before + secret.encode() + after
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        masked = Redactor([secret])(encode(whole).decode())
        assert MASK in masked
        assert len(masked) <= len(MASK) + 4 * (len(before) + len(after)) / 3 + 8


@given(user=AROUND, password=SECRETS)
def test_basic_credentials_are_masked(user: str, password: str) -> None:
    header = base64.b64encode(f"{user}:{password}".encode()).decode()
    assert Redactor(logins=[(user, password)])(f"Authorization: Basic {header}") == f"Authorization: Basic {MASK}"


def test_a_short_password_is_still_masked_as_basic_credentials() -> None:
    redact = Redactor(logins=[("app", "pw")])
    assert redact("Basic YXBwOnB3") == f"Basic {MASK}"
    assert redact("power") == "power"


def test_of_two_secrets_the_longer_one_is_masked_whole() -> None:
    assert Redactor(["secret", "secretive"])("a secretive man") == f"a {MASK} man"


def test_without_secrets_nothing_changes() -> None:
    assert Redactor()("as it is") == JoinedRedactor()("as it is") == "as it is"


@given(
    st.lists(st.text("ab/", min_size=1, max_size=6), max_size=6),
    st.lists(st.text("ab/", min_size=1, max_size=6), max_size=6),
    st.text("ab/c%26", max_size=60),
)
def test_several_together_mask_what_one_with_all_their_secrets_does(one: list[str], two: list[str], text: str) -> None:
    assert JoinedRedactor([Redactor(one), Redactor(two)])(text) == Redactor([*one, *two])(text)


@pytest.mark.parametrize("secret", ["from a latin-1 variable: \udce9", "half a pair: \ud800"])
def test_secrets_that_are_no_unicode_text(secret: str) -> None:
    assert Redactor([secret], [("app", secret)])(f"it said {secret}!") == f"it said {MASK}!"


@pytest.mark.parametrize(
    ("url", "texts", "logins"),
    [
        ("http://api:8000/health", set(), set()),
        ("https://example.com/@someone/a@b", set(), set()),
        ("http://[::1]:8000/@x", set(), set()),
        ("postgresql://app:s3cret@db:5432/app", {"app:s3cret", "s3cret"}, {("app", "s3cret")}),
        ("postgresql://app:s%40cret@db/app", {"app:s%40cret", "app:s@cret", "s%40cret", "s@cret"}, {("app", "s@cret")}),
        ("postgresql://app:s3cret@one:1,two:2/app", {"app:s3cret", "s3cret"}, {("app", "s3cret")}),
        ("redis://:s3cret@cache", {":s3cret", "s3cret"}, {("", "s3cret")}),
        ("https://t0ken@example.com", {"t0ken"}, {("t0ken", "")}),
        ("https://example.com/?key=t0%41k&b=", {"key=t0%41k&b=", "t0%41k", "t0Ak"}, set()),
        ("https://example.com/?key=a+b#part", {"key=a+b", "a+b", "a b"}, set()),
        ("no URL at all", set(), set()),
    ],
)
def test_what_of_a_url_is_secret(url: str, texts: set[str], logins: set[tuple[str, str]]) -> None:
    assert secrets_of_url(url) == (texts, logins)


@pytest.mark.parametrize("character", "/?#[]@:")
def test_a_password_that_should_have_been_percent_encoded_is_still_masked(character: str) -> None:
    password = f"s3{character}cret"
    for url in (f"postgresql://app:{password}@db:5432/app", f"redis://:{password}@cache"):
        redact = Redactor(*secrets_of_url(url))
        assert redact(f"no host {password!r} in {url}").count("cret") == 0


@given(st.text())
def test_no_text_is_too_odd_for_a_url(url: str) -> None:
    texts, logins = secrets_of_url(url)
    assert "" not in texts
    assert isinstance(Redactor(texts, logins)(url), str)
