"""The tests. In CI hypothesis tries the same examples each time: a new find is a contributor's, not a landing's."""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")
