"""The dry run behind `homeward check`: a delivery goes through reading, gate, crosswalk and rules, and leaves no trace.

The same stages as in earnest, in a workplace without a vault whose folders are thrown away: persons get tokens that
nobody keeps, staged rows are dropped, nothing is sealed, registered or published. Only the marked return remains.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from anonymization.leaks.guard import no_values
from assets.intake import Delivery
from assets.returning import marked_return
from assets.stages.admit import admit
from assets.stages.harmonize import harmonize
from assets.stages.pseudonymize import pseudonymize
from assets.stages.validate import validate
from assets.workplace import Workplace
from codebook.errors import Refused
from sources.batches import PlainFile
from sources.models import Source


class DryRun(Workplace):
    """The folders of `home` are temporary, there is no vault; staging uses the real warehouse and is cleared."""

    vault = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Callable[..., Workplace], tuple[object, ...]]:
        return DryRun, (self.home, self._warehouse_url, self._vault_url, self.workers)


def check(workplace: Workplace, source: Source, files: Sequence[Path], language: str, out: Path) -> dict[str, Any]:
    """Write the marked return of `files` into `out`; returns what is in its return.json."""
    from connectors.steady import unchanged
    from warehouse import staging
    from warehouse.engine import transaction

    today = datetime.now(UTC).date()
    with tempfile.TemporaryDirectory(prefix="homeward-check-") as folder, no_values(f"check for {source.source}"):
        plain = tuple(PlainFile(file) for file in files)
        delivery = Delivery(source, f"{today}-{os.urandom(4).hex()}", "", today, plain)
        dry = DryRun(Path(folder), workplace.warehouse_url, None, workplace.workers)
        refused: Refused | None = None
        try:
            with ExitStack() as steady:
                for file in files:
                    steady.enter_context(unchanged(file))
                for stage in (admit, pseudonymize):
                    stage(dry, delivery)
            for stage in (harmonize, validate):
                stage(dry, delivery)
        except Refused as refusal:
            refused = refusal
        try:
            findings = pa.concat_tables([_staged_findings(dry, delivery), _about_columns(refused)])
            marked_return(dry, delivery, out, language=language, findings=findings, refused=refused)
            told: dict[str, Any] = json.loads((out / "return.json").read_text(encoding="utf-8"))
            return told
        finally:
            with transaction(dry.warehouse, "clearing a dry run") as conn:
                staging.drop(conn, source.source, delivery.key)


def _about_columns(refused: Refused | None) -> pa.Table:
    """What the ledger would keep of the columns that a refusal is about."""
    from expectations.verdicts import FINDINGS

    if refused is None:
        return FINDINGS.empty_table()
    fixed = {"rule": refused.rule, "version": "1", "severity": "error"}
    return pa.Table.from_pylist([{**fixed, "source_column": column} for column in refused.columns], FINDINGS)


def _staged_findings(dry: Workplace, delivery: Delivery) -> pa.Table:
    """What the judgement found; nothing for a delivery that was refused before it."""
    from expectations.validate import read_findings
    from expectations.verdicts import FINDINGS
    from warehouse import staging

    names = staging.names(delivery.id, delivery.key)
    with dry.warehouse.connect() as conn:
        judged = staging.exists(conn, names, names.verdict)
    return read_findings(dry.warehouse_url, staging.SCHEMA, names.finding) if judged else FINDINGS.empty_table()
