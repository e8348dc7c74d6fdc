"""How alike two persons are: a Fellegi-Sunter model run by splink, in memory, over persons that share a blocking key.

In: persons as `features` prepares them. Out: pairs with a weight (bits of evidence) and one of two bands. A pair is
weighed against everybody else who it could be: strangers, twins, brothers and sisters, parent and child. The
probabilities are fixed and versioned (`similarity.json`); how often a name, year or day occurs comes from the
population. Where persons come from and what a band leads to is the business of `recognition`.
"""

from __future__ import annotations

import json
import logging
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.linkage import candidates
from anonymization.linkage.features import AGAIN
from anonymization.linkage.frequencies import Frequencies
from anonymization.linkage.misspelt import corrected
from anonymization.linkage.names import fingerprint
from anonymization.linkage.rounds import Rules
from anonymization.linkage.sieve import Sieve

if TYPE_CHECKING:
    import duckdb

Ids = npt.NDArray[np.int64]
_LOG = logging.getLogger(__name__)
_NO_PAIRS = pa.schema([("one", pa.int64()), ("other", pa.int64())]).empty_table()

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
_MEMORY = "2GB"
_SCORED = 100_000
"""So many pairs are weighed at a time."""
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

    `persons`: as `prepared` gives them, with keys as texts or as numbers; `population`: persons of the country;
    `frequencies`: of the columns WEIGHED; `pending`: only pairs with one of these (None: all pairs). Pairs are made,
    dropped and weighed in parts: what grows with the persons is what is known of them, not what is compared.
    """
    ids = persons["unique_id"].to_numpy()
    asked = np.ones(len(ids), bool) if pending is None else np.isin(ids, pending)
    keys = candidates.numbered(persons["keys"])
    weighed: list[pa.Table] = []
    with closing(_in_memory()) as connection:
        connection.execute(_WORDS.read_text(encoding="utf-8"))
        connection.register("person", _weighable(corrected(persons, frequencies, WORDS), frequencies))
        weigh = _Scale(connection, max(population, _LEAST_POPULATION))
        compared, waiting = 0, _NO_PAIRS
        for one, other in candidates.in_parts(keys, asked, int(model()["crowd"])):
            compared += len(one)
            pairs = pa.table({"one": ids[np.minimum(one, other)], "other": ids[np.maximum(one, other)]})
            waiting = pa.concat_tables([waiting, weigh.sieve.passed(connection, pairs)])
            while len(waiting) >= _SCORED:
                weighed.append(weigh.pairs(waiting.slice(0, _SCORED)))
                waiting = waiting.slice(_SCORED)
            _LOG.info("%d pairs of %d persons compared, %d left", compared, len(ids), sum(map(len, weighed)))
        return pa.concat_tables([*weighed, weigh.pairs(waiting)])


class _Scale:
    """Weighs pairs of persons of table `person`: drops who cannot be the same, and asks splink about the others."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, population: int) -> None:
        from splink import DuckDBAPI, Linker

        logging.getLogger("splink").setLevel(logging.ERROR)
        self._connection = connection
        self._api = DuckDBAPI(connection)
        settings = _settings(population)
        odds = settings["probability_two_random_records_match"]
        self.sieve = Sieve(model(), float(np.log2(odds / (1 - odds))))
        self._linker = Linker(self._api.register("person"), settings, log_level=40)
        for column in WEIGHED:
            # Each person's share is a column of `person`; without a table of them splink would count for itself.
            none = self._api.register(
                pa.table({column: pa.array([], pa.string()), f"tf_{column}": pa.array([], pa.float64())})
            )
            self._linker.table_management.register_term_frequency_lookup(none, column)

    def pairs(self, pairs: pa.Table) -> pa.Table:
        """Those worth seeing, with weight and band."""
        blocked = pairs.rename_columns(["join_key_l", "join_key_r"]).append_column(
            "match_key", pa.repeat("0", len(pairs))
        )
        self._linker.table_management.register_blocked_pairs_for_predict(self._api.register(blocked))
        found = self._linker.inference.predict(threshold_match_weight=model()["seen_from"], warning_mode="never")
        try:
            return self._connection.sql(_bands(found.physical_name)).to_arrow_table()
        finally:
            found.drop_table_from_database_and_remove_from_cache()


def _weighable(persons: pa.Table, frequencies: Frequencies) -> pa.Table:
    """Persons without days and phones that stand for none, and with how frequent and how rare is what they say."""
    phones = persons["phone"]
    counted = pc.value_counts(phones.drop_null())
    everybodys = counted.field("values").filter(pc.greater(counted.field("counts"), int(model()["shared_phone"])))
    said = {"phone": pc.if_else(pc.is_in(phones, everybodys), None, phones)}
    days = pc.unique(persons["month_day"].drop_null())
    heaped = days.filter(pa.array(frequencies.shares("month_day", days) > model()["heaped"]))
    unknown = pc.is_in(persons["month_day"], heaped)
    said |= {name: pc.if_else(unknown, None, persons[name]) for name in ("date", "month", "day", "month_day")}
    for name, column in said.items():
        persons = persons.set_column(persons.column_names.index(name), name, column)
    for column in WEIGHED:
        shares = pa.chunked_array(
            [_shares(chunk, column, frequencies) for chunk in persons[column].chunks], pa.float64()
        )
        # The chance of a day is that of its year and of its place in the year.
        scaled = pc.divide(shares, float(model()["years_of_birth"])) if column == "month_day" else shares
        persons = persons.append_column(f"tf_{column}", scaled)
    bits = pa.chunked_array([_bits(chunk, frequencies) for chunk in persons[WORDS].chunks], pa.list_(pa.float64()))
    return persons.drop_columns(["keys"]).append_column("bits", bits)


def _shares(values: pa.Array, column: str, frequencies: Frequencies) -> pa.Array:
    distinct = values if isinstance(values, pa.DictionaryArray) else values.dictionary_encode()
    return pa.array(frequencies.shares(column, distinct.dictionary)).take(distinct.indices)


def no_frequencies() -> Frequencies:
    """Of a country that nobody has been counted in."""
    return Frequencies((*WEIGHED, WORDS), model()["unlisted_share"])


def _bits(bags: pa.ListArray, frequencies: Frequencies) -> pa.Array:
    """How rare each word of a person's names is."""
    words = pc.replace_substring(bags.flatten(), AGAIN, "").dictionary_encode()
    rare = -np.log2(np.maximum(frequencies.shares(WORDS, words.dictionary), model()["least_share"]["name"]))
    offsets = np.concatenate([[0], np.cumsum(bags.value_lengths().to_numpy())])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(rare).take(words.indices))


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
        # Which pairs are weighed is told to splink, see `candidates`.
        "blocking_rules_to_generate_predictions": [],
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
