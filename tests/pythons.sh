#!/bin/sh
# Runs the tests that need no server on each supported Python that is installed, besides the one of `make test`.
set -eu

own=$("$PYTHON_OF_TESTS" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
for version in 3.11 3.12 3.13; do
    [ "$version" = "$own" ] && continue
    "python$version" -c pass 2>/dev/null || continue
    venv=".venv-$version"
    if [ ! -e "$venv/.ready" ] || [ pyproject.toml -nt "$venv/.ready" ]; then
        "python$version" -m venv "$venv"
        "$venv/bin/pip" install --quiet --upgrade 'pip>=25.1'
        "$venv/bin/pip" install --quiet --editable '.[all]' --group dev
        touch "$venv/.ready"
    fi
    echo "Python $version:"
    "$venv/bin/python" -m pytest -q -m "not service" tests --ignore=tests/kinds --ignore=tests/demo --ignore=tests/cli \
        --ignore=tests/test_fault_table.py
done
