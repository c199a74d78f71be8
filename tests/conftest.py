"""Which tests may run here: a laptop may lack a server that CI must have."""

import os
import signal

import pytest

from tests.installed import add_to_path, is_installed

pytest_plugins = ("tests.recording",)

add_to_path()

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell that runs us in the background says so
    signal.signal(signal.SIGINT, signal.default_int_handler)  # some tests press Ctrl-C


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("service"):
        name = mark.args[0]
        if not is_installed(name):
            if os.environ.get("CI"):
                pytest.fail(f"{name} is not installed; `make services` must install it", pytrace=False)
            pytest.skip(f"{name} is not installed; `make services` installs it")
