"""A kind that is a package."""

from tests.config.kinds.pack.check import Pack

__all__ = ["Pack"]
