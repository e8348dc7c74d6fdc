"""Runs one table's rules through Great Expectations inside PostgreSQL and says pass, fail or could_not_run for each.

Knows what Great Expectations 1.24 does unasked (analytics, progress bars, logging of queries and their errors) and
stops it: its log lines and exception texts can hold values, so none of them is kept. Not here: which rows failed.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal

from expectations import gx_import
from expectations.suites import Rule, suite

Outcome = Literal["pass", "fail", "could_not_run"]


def outcomes(url: str, schema: str, table: str, rules: Sequence[Rule], received: dt.date) -> dict[str, Outcome]:
    """Rule id -> outcome. A counting query serves many rules at once, so where it crashed each is run alone again:
    the one that cannot run is named, and does not hide what the others say."""
    found: dict[str, Outcome] = dict.fromkeys((rule.id for rule in rules), "could_not_run")
    with _silent():
        found |= _run(url, schema, table, rules, received) if rules else {}
        crashed = [rule for rule in rules if found[rule.id] == "could_not_run"]
        for rule in crashed if len(crashed) > 1 else ():
            alone = _run(url, schema, table, [rule], received)
            if not alone:
                break
            found |= alone
    return found


def _run(url: str, schema: str, table: str, rules: Sequence[Rule], received: dt.date) -> dict[str, Outcome]:
    """Empty where nothing could be asked at all: the server or the table is gone, or the suite was refused."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    gx_import.load()
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}  # type: ignore[assignment]
    source = None
    try:
        # A `$` in a connection string starts a config variable of Great Expectations: a password may hold one.
        connection = url.replace("$", r"\$")
        source = context.data_sources.add_sql(  # the stub of add_sql does not know the data source's own fields
            "staging",
            connection_string=connection,
            kwargs={"hide_parameters": True},  # type: ignore[call-arg]
        )
        asset = source.add_table_asset("rows", table_name=table, schema_name=schema)
        batch = asset.add_batch_definition_whole_table("all").get_batch()
        result = batch.validate(suite(table, rules, received), result_format="BOOLEAN_ONLY")
        return dict(_outcome(one) for one in result.results)
    except Exception:
        # Whatever broke is reported as rules that could not run, by id only: its words may hold values.
        return {}
    finally:
        if source is not None:
            with suppress(Exception):  # a server that is away cannot be left either
                source.get_engine().dispose()


def _outcome(result: Any) -> tuple[str, Outcome]:
    rule = result.expectation_config.meta["rule"]
    if _raised(result.exception_info):
        return rule, "could_not_run"
    return rule, "pass" if result.success else "fail"


def _raised(info: Any) -> bool:
    """`exception_info` is one dict for the expectation, or one dict for each metric that it needed."""
    if not isinstance(info, dict):
        return False
    return bool(info.get("raised_exception")) or any(_raised(part) for part in info.values())


@contextmanager
def _silent() -> Iterator[None]:
    """Nothing of its log, whose modules set levels of their own, and none of its warnings: that a plain SQL source is
    slower than its PostgreSQL one (which refuses socket URLs), and that `schema_name` will go away."""
    logger = logging.getLogger("great_expectations")
    handlers, propagate = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [logging.NullHandler()], False
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logger.handlers, logger.propagate = handlers, propagate
