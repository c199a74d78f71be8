import sys

import pytest

from probe.registry import ExtraMissing, Registry, UnknownKind

REGISTRY = Registry(["tests.config.kinds"])


def test_names_every_kind_without_importing_it() -> None:
    for module in ("tests.config.kinds.empty",):
        sys.modules.pop(module, None)
    assert Registry(["tests.config.kinds"]).names() == (
        "broken",
        "driverless",
        "empty",
        "misdeclared",
        "pack",
        "sql",
        "web",
    )
    assert "tests.config.kinds.empty" not in sys.modules
    assert "tests.config.kinds._shared" not in sys.modules


def test_takes_the_one_check_of_a_module_or_a_package() -> None:
    assert REGISTRY.find("web").__name__ == "Web"
    assert REGISTRY.find("web").kind == "web"
    assert REGISTRY.find("pack").__module__ == "tests.config.kinds.pack.check"
    assert REGISTRY.find("pack") is REGISTRY.find("pack")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("webb", 'no kind "webb"; did you mean "web"?'),
        ("_shared", 'no kind "_shared"; there are: broken, driverless, empty, misdeclared, pack, sql, web'),
        ("web.x", 'no kind "web.x"; did you mean "web"?'),
    ],
)
def test_suggests_a_kind(kind: str, message: str) -> None:
    with pytest.raises(UnknownKind, match="no kind") as raised:
        REGISTRY.find(kind)
    assert str(raised.value) == message


def test_says_how_to_install_a_driver() -> None:
    with pytest.raises(ExtraMissing) as raised:
        REGISTRY.find("driverless")
    assert str(raised.value) == (
        "kind \"driverless\" needs no_such_driver, which is not installed: pip install 'stackprobe[driverless]'"
    )


def test_does_not_take_a_bug_of_a_kind_for_a_missing_driver() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        REGISTRY.find("broken")


def test_wants_one_check_in_a_kind() -> None:
    with pytest.raises(TypeError, match=r"tests.config.kinds.empty must define one .* it has 0"):
        REGISTRY.find("empty")


def test_finds_every_kind_that_comes_with_probe() -> None:
    own = Registry()
    assert {kind: own.find(kind).kind for kind in own.names()} == {kind: kind for kind in own.names()}
    assert "http" in own.names()


def test_an_earlier_package_hides_a_later_one() -> None:
    assert Registry(["tests.config.kinds", "tests.config.kinds.pack"]).names() == (
        "broken",
        "check",
        "driverless",
        "empty",
        "misdeclared",
        "pack",
        "sql",
        "web",
    )
