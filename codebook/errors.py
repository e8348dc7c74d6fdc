"""Homeward's errors: one line that says what, where and how to mend. Named by what the user can do about them.

No message ever holds a value from a delivery: names of files, sheets, columns and rules, row numbers and counts only.
"""

from __future__ import annotations

from collections.abc import Sequence


class HomewardError(Exception):
    """Base of every error that is shown to a user: `what (where): mend`, on one line."""

    def __init__(self, what: str, where: str = "", mend: str = "") -> None:
        self.what, self.where, self.mend = what, where, mend
        super().__init__(what, where, mend)

    def __str__(self) -> str:
        line = self.what + (f" ({self.where})" if self.where else "") + (f": {self.mend}" if self.mend else "")
        return " ".join(line.split())


class Refused(HomewardError):
    """This delivery cannot be taken as it is; `rule` is a stable `delivery.*` id that the marked return explains.
    `columns`: those of the source's declaration that it is about; their names go back to the supplier."""

    def __init__(self, rule: str, what: str, where: str = "", mend: str = "", columns: Sequence[str] = ()) -> None:
        super().__init__(what, where, mend)
        self.rule, self.columns = rule, tuple(columns)
        self.args = (rule, what, where, mend, self.columns)


class BadDefinition(HomewardError):
    """A YAML or CSV file of the codebook or of a source is wrong: file, line and the nearest valid name."""


class Unavailable(HomewardError):
    """A database, a disk or a server did not serve: nothing is lost, run again when it is back."""
