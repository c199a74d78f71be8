"""Whatever a client sends: no header of a request brings the server down, or lets somebody in."""

from hypothesis import given, settings
from hypothesis import strategies as st

from probe.exporter import Format
from probe.server.access import _digest, _offered, is_ours
from probe.server.aside import takes_gzip
from probe.server.metrics import negotiated

HEADERS = st.text(max_size=40) | st.text("ab*/;=, q01.:[]%@-", max_size=40)
UNHURRIED = settings(deadline=None)


@UNHURRIED
@given(HEADERS)
def test_what_is_accepted(header: str) -> None:
    assert negotiated(header) in Format
    assert takes_gzip(header) in (True, False)


@UNHURRIED
@given(HEADERS, st.text("a.-1", min_size=1, max_size=10))
def test_a_host(header: str, name: str) -> None:
    assert is_ours(header) in (True, False)
    assert not is_ours(f"{name}.evil.example")


@UNHURRIED
@given(HEADERS, st.sampled_from(["", "Basic ", "basic ", "Bearer "]))
def test_a_login(header: str, scheme: str) -> None:
    assert _offered(scheme + header) not in (_digest("basic", b"ops:secret"), _digest("bearer", b"secret"))
