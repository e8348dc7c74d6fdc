"""Dagster assets, made from the sources: one set of stages per source, a ledger of its deliveries, and the marts.

A thin wrapping. What a stage does is in `assets/stages/`; what is shown of it is in `assets/shown.py`.
"""

# No postponed annotations here: Dagster reads those of its functions as they stand.
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from anonymization.leaks.guard import no_values
from assets import shown
from assets.way import LAST_STAGE, STAGES, Stage, pass_stage, refresh_marts
from assets.workplace import Workplace
from codebook.errors import HomewardError
from sources.models import Source

WAREHOUSE_POOL = "warehouse"
MARTS = ("rss_score", "indicator_value", "comparability")


def partitions(source: Source) -> dg.DynamicPartitionsDefinition:
    """One partition a delivery, `<received date>-<first 8 of sha256>`."""
    return dg.DynamicPartitionsDefinition(name=f"deliveries_{slug(source.source)}")


def slug(source_id: str) -> str:
    """`slv/dgme_returns` as Dagster wants names: `slv_dgme_returns`."""
    return source_id.replace("/", "_")


def key(source: Source, stage: str) -> dg.AssetKey:
    return dg.AssetKey([*source.source.split("/"), stage])


@contextmanager
def _told(context: dg.AssetExecutionContext, where: str) -> Iterator[None]:
    """Errors leave without values, and say so in the run: Dagster masks whatever is raised, and would show a number."""
    try:
        with no_values(where):
            yield
    except HomewardError as error:
        context.log.error(str(error))
        raise


def source_assets(source: Source) -> list[dg.AssetsDefinition]:
    """The five stages of a source in their order, and the ledger of its last deliveries."""
    made: list[dg.AssetsDefinition] = []
    upstream: list[dg.AssetKey] = []
    for stage in STAGES:
        made.append(_stage_asset(source, stage, upstream))
        upstream = [key(source, stage.name)]
    return [*made, _ledger_asset(source, upstream)]


def _stage_asset(source: Source, stage: Stage, upstream: list[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.asset(
        key=key(source, stage.name),
        deps=upstream,
        partitions_def=partitions(source),
        group_name=source.country,
        kinds=set(stage.kinds),
        owners=[source.owner],
        description=f"{source.title['en']}. {stage.description}",
        tags={"source": slug(source.source), "supplier_language": source.supplier.language},
        metadata=shown.definition_metadata(source, stage.name),
        pool=WAREHOUSE_POOL if stage.in_warehouse else None,
        required_resource_keys={"workplace"},
        check_specs=shown.check_specs(key(source, stage.name), stage.name),
        code_version=source.version,
    )
    def materialize(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads it
        workplace: Workplace = context.resources.workplace
        with _told(context, f"{source.source}, {stage.name}, what is shown of it"):
            done = pass_stage(workplace, source, context.partition_key, stage, run_id=context.run_id)
            context.log.info(shown.one_line(done))
            return dg.MaterializeResult(metadata=shown.metadata(source, done), check_results=shown.check_results(done))

    return materialize


def _ledger_asset(source: Source, upstream: list[dg.AssetKey]) -> dg.AssetsDefinition:
    """The UI shows metadata of the latest partition only; this asset lists the last deliveries of the source."""

    @dg.asset(
        key=key(source, "deliveries"),
        deps=upstream,
        group_name=source.country,
        kinds={"postgres"},
        owners=[source.owner],
        description=f"{source.title['en']}. The last 20 deliveries: state, rows in, accepted, rejected.",
        required_resource_keys={"workplace"},
    )
    def deliveries(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads it
        from anonymization.vault.upkeep import keep_up
        from warehouse import ledger

        with _told(context, f"{source.source}, deliveries"):
            keep_up(context.resources.workplace.vault)  # last: nobody waits for it who waits for the delivery
            entries = ledger.deliveries(context.resources.workplace.warehouse, source.source)[:20]
            return dg.MaterializeResult(metadata=shown.ledger_metadata(entries))

    return deliveries


def marts_assets(sources: list[Source]) -> dg.AssetsDefinition:
    """Scores, indicator values and comparability: refreshed together, in one transaction, after a publication."""
    upstream = [key(source, LAST_STAGE) for source in sources]
    specs = [
        dg.AssetSpec(
            dg.AssetKey(["marts", name]),
            deps=upstream,
            group_name="marts",
            kinds={"postgres"},
            description=shown.MART_DESCRIPTIONS[name],
        )
        for name in MARTS
    ]

    @dg.multi_asset(specs=specs, name="marts", pool=WAREHOUSE_POOL, required_resource_keys={"workplace"})
    def marts(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]  # Dagster reads the annotation
        with _told(context, "marts"):
            refreshed = refresh_marts(context.resources.workplace, sources)
        for name, rows in refreshed.items():
            yield dg.MaterializeResult(
                asset_key=dg.AssetKey(["marts", name]),
                metadata={"dagster/row_count": rows, "dagster/table_name": f"warehouse.marts.{name}"},
            )

    return marts
