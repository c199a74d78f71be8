"""A kind with a bug: it imports what this project does not have."""

import tests.config.no_such_module  # type: ignore  # noqa: F401  # not there
