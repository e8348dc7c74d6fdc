"""Known errors of a supplier's form, declared with reason and date, each with a guard that fails once it is mended.

Applying a correction while labels are decoded, and checking its guard against the delivered form, is the connectors'
business; this module only reads corrections.csv.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from codebook.reading import read_rows


class Correction(BaseModel):
    """One row of corrections.csv. `choice_label`: `label` of choice list `list` in `language` means `corrected_code`.

    An empty `corrected_code` says that the label is ambiguous: rows that hold it are rejected. `form_code` is what
    the form says today; if it says something else, the supplier has mended it and the correction must go.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    kind: Literal["choice_label"]
    table: str = ""
    column: str = ""
    list: str = Field(min_length=1)
    language: str = Field(min_length=1)
    label: str = Field(min_length=1)
    form_code: str = Field(min_length=1)
    corrected_code: str = ""
    reason: str = Field(min_length=1)
    reported: str = ""
    status: str = ""
    expect: str = ""


def read_corrections(path: Path) -> tuple[Correction, ...]:
    """Read corrections.csv, if the source has one. BadDefinition with file and line."""
    return tuple(correction for _, correction in read_rows(path, Correction)) if path.exists() else ()
