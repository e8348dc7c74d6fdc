"""Fixtures of the tests of this room."""

from expectations_staging import only, small, staging

__all__ = ["only", "small", "staging"]
