"""No spelling of a secret survives, whatever surrounds it."""

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from yarl import URL

from probe.redact import MASK, SHORTEST, JoinedRedactor, Redactor, secrets_of_text, secrets_of_url

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


@given(secret=SECRETS)
def test_a_url_of_yarl_s_hides_it(secret: str) -> None:
    """It leaves what needs no escape as it is, others escape all of it."""
    shown = str(URL.build(scheme="http", host="a", path="/b", query={"token": f"x{secret}x"}))
    assert re.search(r"x(%5C)*\*\*\*", Redactor([secret])(shown))


@pytest.mark.parametrize(
    "text",
    [
        "a &quot;pa/ss w&#246;rd%&amp;+&quot;&#x27;\\ here",
        repr("a pa/ss wörd%&+\"'\\ here".encode()),
        json.dumps({"told": repr('a "pa/ss wörd%&+"\'\\ here')}),
        "a pa/ss\n   wörd%&+\"'\\ here",
        f"a {quote(quote(PASSWORD, safe=''), safe='')} here",
        f"a {quote(quote(PASSWORD, safe=chr(39)), safe='&+')} here",
    ],
)
def test_spellings_of_several_sorts_in_one(text: str) -> None:
    masked = Redactor([PASSWORD])(text)
    assert "ss" not in masked
    assert "rd" not in masked
    assert "here" in masked


@pytest.mark.parametrize(
    ("value", "parts", "logins"),
    [
        ("t0ken-t0ken", set(), set()),
        ("Bearer t0ken-t0ken", {"t0ken-t0ken"}, set()),
        ("Basic YXBwOnMzY3JldA==", {"YXBwOnMzY3JldA=="}, {("app", "s3cret")}),
        ("theme=dark; sid=0123456789; a=b", {"0123456789"}, set()),
        ("two words", {"words"}, set()),
    ],
)
def test_what_of_a_header_is_secret_by_itself(value: str, parts: set[str], logins: set[tuple[str, str]]) -> None:
    assert secrets_of_text(value) == ({value} | parts, logins)


def test_the_lines_of_a_key_are_hidden_one_by_one() -> None:
    redact = Redactor(["-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----"])
    assert redact("it sent kqhkiG9w0BAQEF") == f"it sent {MASK}"


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(secret=SECRETS, cut=st.integers(1, 200))
def test_nothing_is_left_of_what_was_cut_off(spelling: str, secret: str, cut: int) -> None:
    written = SPELLINGS[spelling]("q" * 12 + secret)
    shown = Redactor(["q" * 12 + secret]).beginning(f"it said {written[:cut]}")
    assert "qqq" not in shown
    assert shown.startswith("it said ")


def test_an_end_that_is_whole_is_left_alone() -> None:
    redact = Redactor(["app-secret"])
    assert redact("missing in database app") == "missing in database app"
    assert redact.beginning("missing in database app… and more") == f"missing in database {MASK}… and more"


ODD = [
    "pa/ss wörd%&+\"'\\",
    "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----",
    "%41%2541%%",
    "4+k++9",
    r"\n\u0041\\",
]
HEALTHY = [
    "connection refused by 127.0.0.1:5432, after 3 tries in 100% of the time",
    'expected status 200, got 503: {"error": "caf\\u00e9 & b\\u00e4r", "at": "C:\\\\new\\\\table"}',
    "GET /search?q=a%20b+c&lang=de%2Fat HTTP/1.1",
    "<p>Tom &amp; Jerry&#39;s   caf&eacute;</p>\n\t<b>100%</b>",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "eyJhbGciOiJIUzI1NiJ9 and bm90IGEgc2VjcmV0IGF0IGFsbA==",
    r"b'\x00\xff not HTTP \xc3\xa9' ends in a backslash \\",
    "pass word key BEGIN 41 a b c",
    "",
]


@pytest.mark.parametrize("text", HEALTHY)
def test_healthy_text_stays_as_it_is(text: str) -> None:
    redact = Redactor(ODD, [("app", secret) for secret in ODD])
    assert redact(text) == JoinedRedactor([redact])(text) == text


@given(text=st.text(st.characters(exclude_characters="qQ", exclude_categories=["Cs"])))
def test_of_a_text_without_the_secret_not_a_character_changes(text: str) -> None:
    assume("71" not in text)  # `%71` is a q
    assert Redactor([f"q{secret}q" for secret in ODD])(text) == text


@given(secret=SECRETS, text=st.text(st.characters(exclude_categories=["Cs"])))
def test_around_a_secret_all_stays(secret: str, text: str) -> None:
    secret = f"qx7{secret}7xq"
    assume("qx7" not in text and "7xq" not in text)
    assume("\n" not in secret)  # its lines are secrets, too
    assert Redactor([secret])(f"{text} {secret} {text}") == f"{text} {MASK} {text}"


@pytest.mark.parametrize("secret", [r"\new", r"\u0041bc\x41", "%41bc%2541", "&amp;bc&#65;", r"\\server\table"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_that_looks_like_escapes(spelling: str, secret: str) -> None:
    masked = Redactor([secret])(f"with {SPELLINGS[spelling](secret)} here")
    assert re.sub(r"[\\ ]", "", masked) == f"with{MASK}here"


def test_one_more_secret() -> None:
    assert Redactor(["secret"]).and_also("t0ken/")("secret, t0ken%2F") == f"{MASK}, {MASK}"


def test_in_names_plain_words_stay() -> None:
    redact = Redactor(["postgres", "s3cret", "correcthorsebatterystaple"]).for_names
    assert redact("postgres s3cret correcthorsebatterystaple") == f"postgres {MASK} {MASK}"


def test_a_secret_may_be_replaced_by_what_was_written_for_it() -> None:
    assert Redactor(["it's"])("no unit \"it's\" or 'it\\'s'", "${UNIT}") == "no unit \"${UNIT}\" or '${UNIT}'"
