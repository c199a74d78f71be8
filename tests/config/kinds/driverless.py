"""A kind whose driver is not installed."""

import no_such_driver.asyncio  # type: ignore[import-not-found]  # noqa: F401
