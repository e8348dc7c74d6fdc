"""Applies a crosswalk to pseudonymous batches: codes, units, calendars, geography, answer states."""

from harmonization.harmonizer import Harmonized, Harmonizer

__all__ = ["Harmonized", "Harmonizer"]
