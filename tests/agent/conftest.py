"""Every lamp shines when a story begins."""

from collections.abc import Iterator

import pytest

from tests.agent.moody import Moody
from tests.agent.stage import Lamp, Ponderous


@pytest.fixture(autouse=True)
def lamps_shine() -> Iterator[None]:
    Lamp.trouble.clear()
    Lamp.held.clear()
    Moody.paces.clear()
    yield
    Ponderous.go_on.clear()
    Ponderous.asked.clear()
