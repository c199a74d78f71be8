"""Which tests may run here: a laptop may lack a server that CI must have."""

import glob
import os
import shutil

import pytest

FOUND_BY_PATH = {"postgresql": "/usr/lib/postgresql/*/bin/postgres"}
"""Servers that Debian installs outside PATH."""


def is_installed(service: str) -> bool:
    if service in FOUND_BY_PATH:
        return bool(glob.glob(FOUND_BY_PATH[service]))
    return shutil.which(service) is not None


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("service"):
        name = mark.args[0]
        if not is_installed(name):
            if os.environ.get("CI"):
                pytest.fail(f"{name} is not installed; `make services` must install it", pytrace=False)
            pytest.skip(f"{name} is not installed; `make services` installs it")
