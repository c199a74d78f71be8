"""The pages, as a browser reads them."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from probe.check import Check
from probe.config.settings import Web
from probe.model import Change, Health, Reason, Verdict
from probe.state.values import Cause
from tests.exporter.boards import NOON, Shop, board_of
from tests.server.conftest import Serving
from tests.server.scene import Agent, Http, ran, unhealthy

VOID = {"meta", "link"}


class Page(HTMLParser):
    """What of a page matters here: its text, its links, and that every tag is closed where it should be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.pieces: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """SVG's shapes close themselves."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.pieces))


async def page(serving: Serving, path: str, agent: Agent | None = None, web: Web | None = None) -> Page:
    client = await serving(agent, web)
    async with client.get(path) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        return Page(await answer.text())


async def test_all_checks_worst_first_and_dependants_under_their_cause(serving: Serving) -> None:
    shown = await page(serving, "/")
    text = shown.text
    assert "1 check is unhealthy, and 2 checks fail because of it" in text
    assert "2 checks fail because of it: website, api" in text
    checks = [link.removeprefix("/checks/") for link in shown.links if link.startswith("/checks/")]
    assert list(dict.fromkeys(checks)) == [
        *("db", "website", "api", "reports-db", "mailer"),
        *("cache", "shop-frontend", "payments", "backups", "langfuse", "search"),
    ]
    assert "connection refused by 127.0.0.1:5432" in text
    assert "connections_ratio 42% warn > 80% fail > 95%" in text
    assert "last run 3 s ago , took 4.0 ms" in text
    assert "1m 58s ago website healthy → unhealthy timeout because of db no answer within 5.0 s" in text


async def test_one_check_with_its_runs_failures_limits_and_surveys(serving: Serving) -> None:
    shown = await page(serving, "/checks/db")
    assert "db postgres unhealthy for 2m 10s connect connection refused by 127.0.0.1:5432" in shown.text
    assert "Last 50 runs ok, 50 ms, 10m 5s ago" in shown.text
    assert "connect, 4.0 ms, 3 s ago (2026-09-21T14:13:17Z)" in shown.text
    assert shown.text.count("connect in connect, ") == 3
    assert "resolve 0.4 ms connect 3.6 ms" in shown.text
    assert "backup_timestamp_seconds (age) 11h 6m warn > 1d 2h" in shown.text
    assert "sizes , every 5m: ok, a moment ago , took 1.8 s" in shown.text
    assert "two databases hidden: GRANT pg_monitor TO probe;" in shown.text
    assert {"/checks/api", "/", "/api/v1/checks/db"} <= set(shown.links)


@pytest.mark.parametrize("path", ["/", "/checks/db", "/checks/website", "/checks/mailer", "/checks/search"])
async def test_every_link_leads_somewhere(serving: Serving, path: str) -> None:
    client = await serving()
    async with client.get(path) as answer:
        links = Page(await answer.text()).links
    for link in set(links):
        async with client.get(f"{path}{link}" if link.startswith("?") else link) as answer:
            assert (link, answer.status) == (link, 200)


@pytest.mark.parametrize("path", ["/", "/checks/db"])
async def test_a_strict_policy_is_sent_and_the_page_lives_under_it(serving: Serving, path: str) -> None:
    client = await serving()
    async with client.get(path) as answer:
        assert answer.headers["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'"
        )
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] == "probe"
        shown = Page(await answer.text())
    assert shown.tags & {"script", "style", "form", "iframe", "object"} == set()
    assert {name for name in shown.attributes if name.startswith("on") or name == "style"} == set()


HOSTILE = "<script>alert(1)</script>\"' onload=x {{7*7}} &amp; ../../x?y#z"


async def test_every_text_is_escaped(serving: Serving) -> None:
    checks: list[Check] = [Http(name=HOSTILE, labels={"note": HOSTILE}), Http(name="child", needs=(HOSTILE,))]
    known = board_of(checks)
    known = known.put(unhealthy(known[HOSTILE], Reason.PROTOCOL, HOSTILE, step=HOSTILE))
    known = known.put(replace(unhealthy(known["child"], Reason.CONNECT, HOSTILE), causes=(Cause(HOSTILE),)))
    verdict = Verdict(Health.UNHEALTHY, "protocol", HOSTILE)
    agent = Agent(board=known, changes=[Change(HOSTILE, Verdict(), verdict, (HOSTILE,), NOON)])
    client = await serving(agent)
    async with client.get("/") as answer:
        shown = Page(await answer.text())
    assert "script" not in shown.tags
    assert "onload" not in shown.attributes
    assert "<script>alert(1)</script>" in shown.text
    assert "{{7*7}}" in shown.text


async def test_a_check_of_any_name_has_its_page(serving: Serving) -> None:
    for name in ("a/b", "..", "100%2F ü {x}", "?q=1#f", "<b>"):
        client = await serving(Agent(board=board_of([Http(name=name)]), changes=[]))
        async with client.get("/") as answer:
            [link] = {link for link in Page(await answer.text()).links if link.startswith("/checks/")}
        if name != "..":  # a browser would never ask for it
            async with client.get(f"{link}?still") as answer:
                assert (name, answer.status) == (name, 200)


async def test_beyond_loopback_strangers_see_no_messages(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    web = Web(listen="0.0.0.0:10115")
    for path in ("/", "/checks/db"):
        text = (await page(serving, path, web=web)).text
        assert "connect" in text
        assert "2m 10s" in text
        assert "Messages are hidden" in text
        assert "refused" not in text
        assert "GRANT" not in text
        assert "no database" not in text
    assert "whoever reaches 0.0.0.0:10115 may look, so messages are hidden" in caplog.text


@pytest.mark.parametrize(
    ("checks", "health", "headline"),
    [
        ([], None, "No checks"),
        ([Shop(name="eu")], Health.HEALTHY, "The one check is healthy"),
        ([Shop(name="eu"), Shop(name="us")], Health.HEALTHY, "All 2 checks are healthy"),
        ([Shop(name="eu"), Shop(name="us")], Health.UNKNOWN, "2 checks are not known yet"),
        ([Shop(name="eu")], Health.DEGRADED, "1 check is degraded"),
        ([Shop(name="eu"), Shop(name="us")], Health.UNHEALTHY, "2 checks are unhealthy"),
    ],
)
async def test_the_headline_says_how_it_is(
    serving: Serving, checks: list[Check], health: Health | None, headline: str
) -> None:
    known = board_of(checks)
    for state in known:
        known = known.put(replace(ran(state, 0.1), verdict=Verdict(health or Health.HEALTHY, "limit", "")))
    assert f" {headline} " in (await page(serving, "/", Agent(board=known, changes=[]))).text


async def test_causes_in_a_circle_hide_nobody(serving: Serving) -> None:
    known = board_of([Http(name="hen"), Http(name="egg")])
    for name, other in (("hen", "egg"), ("egg", "hen")):
        known = known.put(replace(unhealthy(known[name], Reason.CONNECT, "refused"), causes=(Cause(other),)))
    shown = await page(serving, "/", Agent(board=known, changes=[]))
    assert {"/checks/hen", "/checks/egg"} <= set(shown.links)


async def test_holds_still_when_asked(serving: Serving) -> None:
    client = await serving()
    async with client.get("/") as moving, client.get("/?still") as still:
        assert 'http-equiv="refresh" content="15"' in await moving.text()
        assert "http-equiv" not in await still.text()


async def test_what_is_not_there_is_404_and_what_is_not_done_405(serving: Serving) -> None:
    client = await serving()
    for path in ("/nothing", "/checks/nobody", "/checks/", "/static/app.py", "/static/..%2fapp.py", "/static/"):
        async with client.get(path) as answer:
            assert (path, answer.status) == (path, 404)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/", "/metrics", "/checks/db", "/api/v1/checks"):
        async with client.post(path, data=b"x" * 100_000) as answer:
            assert (path, answer.status, answer.headers["Allow"]) == (path, 405, "GET,HEAD")
