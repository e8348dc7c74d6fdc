"""How alike two persons are: a Fellegi-Sunter model run by splink, in memory, over persons that share a blocking key.

In: persons as `features` prepares them. Out: pairs with a weight (bits of evidence) and one of two bands. A pair is
weighed against everybody else who it could be: strangers, twins, brothers and sisters, parent and child. The
probabilities are fixed and versioned (`similarity.json`); how often a name, year or day occurs comes from the
population. Where persons come from and what a band leads to is the business of `recognition`.
"""

from __future__ import annotations

import json
import logging
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.linkage.features import whole
from anonymization.linkage.frequencies import Frequencies
from anonymization.linkage.names import fingerprint
from anonymization.linkage.rounds import Rules

if TYPE_CHECKING:
    import duckdb

Ids = npt.NDArray[np.int64]

WEIGHED = ("given_s", "father_s", "grandfather_s", "family_s", "place", "year", "month_day")
"""What is strong evidence where it is rare and weak where it is frequent."""
_BORN = ("year", "month_day")
"""Of these a share takes the place of a level's own u; of a name it says how much rarer or commoner the name is."""
WORDS = "bag"
"""The words of all names, whose shares weigh whole names."""
KINDS = ("twin", "sibling", "parent")
"""Who is taken for the same person most easily: relatives share names, house and phone."""
SAME, UNCERTAIN = "same", "uncertain"
_MODEL = Path(__file__).with_name("similarity.json")
_WORDS = Path(__file__).with_name("similarity.sql")
_PERSONS = """
    CREATE TABLE found_by AS
        WITH stated AS (SELECT unique_id, hash(unnest(keys)) AS key FROM delivered),
             useful AS (SELECT key FROM stated GROUP BY key HAVING count(*) BETWEEN 2 AND {crowd})
        SELECT unique_id, list(key) AS keys FROM stated JOIN useful USING (key) GROUP BY unique_id;
    CREATE TABLE person AS
        WITH everybodys AS (SELECT phone FROM delivered GROUP BY phone HAVING count(*) > {shared}),
             unknown AS (SELECT unique_id FROM delivered JOIN heaped USING (month_day))
        SELECT d.* REPLACE (
            coalesce(k.keys, []) AS keys,
            CASE WHEN e.phone IS NULL THEN d.phone END AS phone,
            CASE WHEN u.unique_id IS NULL THEN d.date END AS date,
            CASE WHEN u.unique_id IS NULL THEN d.month END AS month,
            CASE WHEN u.unique_id IS NULL THEN d.day END AS day,
            CASE WHEN u.unique_id IS NULL THEN d.month_day END AS month_day)
        FROM delivered AS d
        LEFT JOIN found_by AS k USING (unique_id)
        LEFT JOIN everybodys AS e ON e.phone = d.phone
        LEFT JOIN unknown AS u ON u.unique_id = d.unique_id;
    DROP TABLE found_by"""
_MEMORY = "2GB"
_CHUNK = 50_000
_LEAST_POPULATION = 10_000
"""A small country is compared as if it had this many people: the vault sees only a part of those who might come."""


@cache
def model() -> dict[str, Any]:
    """The settings of the model as they lie beside this module."""
    loaded: dict[str, Any] = json.loads(_MODEL.read_text(encoding="utf-8"))
    return loaded


def rules() -> Rules:
    """By which pairs become persons."""
    return Rules(**model()["rounds"])


def version() -> str:
    """What a decision was made with and persons are found by: model, features and tables of names. A change of features
    is a new version of the model: `reindex` goes by it."""
    return f"similarity-{model()['version']} {fingerprint()}"


def compare(persons: pa.Table, population: int, frequencies: Frequencies, pending: Ids | None = None) -> pa.Table:
    """Pairs (one, other, weight, band) of persons alike enough to be the same; `one` < `other`.

    `persons`: as `prepared` gives them; `population`: persons of the country; `frequencies`: of the columns
    WEIGHED; `pending`: only pairs with one of these (None: all pairs).
    """
    from splink import DuckDBAPI, Linker

    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = _in_memory()
    try:
        connection.execute(_WORDS.read_text(encoding="utf-8"))
        api = DuckDBAPI(connection)
        _load(connection, persons, frequencies, pending)
        linker = Linker(api.register("person"), _settings(max(population, _LEAST_POPULATION)), log_level=40)
        for column in WEIGHED:
            values = pc.unique(whole(persons[column]).drop_null())
            shares = frequencies.shares(column, values)
            # The chance of a day is that of its year and of its place in the year.
            scaled = shares / model()["years_of_birth"] if column == "month_day" else shares
            lookup = api.register(pa.table({column: values, f"tf_{column}": pa.array(scaled, pa.float64())}))
            linker.table_management.register_term_frequency_lookup(lookup, column)
        chunks = max(1, len(persons) // _CHUNK)
        found = linker.inference.predict(
            threshold_match_weight=model()["seen_from"], num_chunks_left=chunks, num_chunks_right=1
        )
        return connection.sql(_bands(found.physical_name)).to_arrow_table()
    finally:
        connection.close()


def _load(
    connection: duckdb.DuckDBPyConnection, persons: pa.Table, frequencies: Frequencies, pending: Ids | None
) -> None:
    """Table `person`: without days and phones that stand for none, and without keys that find nobody or a crowd."""
    loaded = model()
    asked = np.ones(len(persons), bool) if pending is None else np.isin(persons["unique_id"].to_numpy(), pending)
    days = pc.unique(whole(persons["month_day"]).drop_null())
    heaped = days.filter(pa.array(frequencies.shares("month_day", days) > loaded["heaped"]))
    delivered = persons.append_column("asked", pa.array(asked)).append_column("bits", _bits(persons, frequencies))
    connection.register("delivered", delivered)
    connection.register("heaped", pa.table({"month_day": heaped}))
    connection.execute(_PERSONS.format(crowd=int(loaded["crowd"]), shared=int(loaded["shared_phone"])))


def no_frequencies() -> Frequencies:
    """Of a country that nobody has been counted in."""
    return Frequencies((*WEIGHED, WORDS), model()["unlisted_share"])


def _bits(persons: pa.Table, frequencies: Frequencies) -> pa.Array:
    """How rare each word of a person's names is."""
    bags = whole(persons[WORDS])
    words = bags.flatten().dictionary_encode()
    rare = -np.log2(np.maximum(frequencies.shares(WORDS, words.dictionary), model()["least_share"]["name"]))
    return pa.ListArray.from_arrays(bags.offsets, pa.array(rare).take(words.indices))


def _in_memory() -> duckdb.DuckDBPyConnection:
    """DuckDB without a folder to spill into: names in clear never reach a disk; too much is an error, not a file."""
    import duckdb

    connection = duckdb.connect(":memory:")
    connection.execute(f"SET memory_limit = '{_MEMORY}'; SET temp_directory = ''; SET preserve_insertion_order = false")
    connection.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
    return connection


def _settings(population: int) -> dict[str, Any]:
    loaded = model()
    comparisons = []
    for comparison in loaded["comparisons"]:
        levels: list[dict[str, Any]] = []
        for level in comparison["levels"]:
            made = {"sql_condition": level["when"], "label_for_charts": level["name"]}
            if "null" in level:
                made["is_null_level"] = True
            else:
                same, stranger, *_ = level["p"]
                made |= {"m_probability": same, "u_probability": stranger}
                if column := level.get("frequency"):
                    least = loaded["least_share"].get(column, loaded["least_share"]["name"])
                    made |= {
                        "tf_adjustment_column": column,
                        "tf_adjustment_weight": 1.0,
                        "tf_minimum_u_value": least,
                        "disable_tf_exact_match_detection": column in _BORN,
                    }
            levels.append(made)
        comparisons.append({"output_column_name": comparison["name"], "comparison_levels": levels})
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": 1 / population,
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": "l.keys = r.keys AND (l.asked OR r.asked)", "arrays_to_explode": ["keys"]}
        ],
        "comparisons": comparisons,
        # What is compared holds names: of a pair only ids, weights and levels are kept.
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "additional_columns_to_retain": [],
    }


def _bands(predicted: str) -> str:
    """Against strangers splink has weighed; a relative may explain the pair better, and then the pair weighs less."""
    loaded = model()
    odds = " + ".join(f"2 ** -({_against(place, kind)})" for place, kind in enumerate(KINDS))
    return f"""
        WITH weighed AS (
            SELECT *, -log2(2 ** -match_weight + {odds}) AS weight FROM {predicted}
        )
        SELECT least(unique_id_l, unique_id_r) AS one, greatest(unique_id_l, unique_id_r) AS other, weight,
               CASE WHEN weight >= {float(loaded["same_from"])} AND ({loaded["same_when"]})
                    THEN '{SAME}' ELSE '{UNCERTAIN}' END AS band
        FROM weighed WHERE weight >= {float(loaded["seen_from"])}"""  # noqa: S608  # constants of our own file


def _against(place: int, kind: str) -> str:
    """Bits of evidence for the same person against a relative of this kind, number `place` of KINDS."""
    loaded = model()
    terms = [str(-np.log2(loaded["relatives"][kind]))]
    for comparison in loaded["comparisons"]:
        # splink tells a pair's weight in each comparison, which names the level: no two have the same.
        name = f"mw_{comparison['name']}"
        cases = [
            f"WHEN abs({name} - {np.log2(same / stranger):.9f}) < 1e-6 THEN {np.log2(same / their):.6f}"
            for same, stranger, *relatives in (level["p"] for level in comparison["levels"] if "p" in level)
            if (their := relatives[place]) != same
        ]
        if cases:
            terms.append(f"CASE {' '.join(cases)} ELSE 0 END")
    return " + ".join(terms)
