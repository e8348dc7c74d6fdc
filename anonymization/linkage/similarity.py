"""How alike two persons are: a Fellegi-Sunter model run by splink, in memory, over persons that share a blocking key.

In: persons with folded names, birth date, sex, phone, place, number. Out: pairs with a weight (bits of evidence) and
one of two bands. The model's parameters are fixed and versioned (`similarity.json`);
how often a name occurs comes from the population. Where persons come from and what a band leads to is the business of
`recognition`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.linkage.frequencies import Frequencies
from anonymization.linkage.names import fingerprint, skeleton, sound

if TYPE_CHECKING:
    import duckdb

Ids = npt.NDArray[np.int64]

ROLES = ("given", "father", "grandfather", "family", "full")
PERSONS = pa.schema(
    [
        ("person_id", pa.int64()),
        *((role, pa.string()) for role in ROLES),
        ("born", pa.string()),
        ("sex", pa.string()),
        ("phone", pa.string()),
        ("place", pa.string()),
        ("number", pa.string()),
    ]
)
"""Persons as they are compared. Names are folded; `born` is YYYY, YYYY-MM or YYYY-MM-DD, as much as is known; `number`
is a national number with its scheme in front. Null: not said."""

WEIGHED = ("given_s", "father_s", "grandfather_s", "family_s", "place")
"""What is strong evidence where it is rare and weak where it is frequent."""
SAME, UNCERTAIN = "same", "uncertain"
_MODEL = Path(__file__).with_name("similarity.json")
_WORDS = Path(__file__).with_name("similarity.sql")
_MEMORY = "2GB"
_CHUNK = 50_000
_KEYED_WORDS = 4
_LEAST_POPULATION = 10_000
"""A small country is compared as if it had this many people: the vault sees only a part of those who might come."""


@cache
def model() -> dict[str, Any]:
    """The settings of the model as they lie beside this module."""
    loaded: dict[str, Any] = json.loads(_MODEL.read_text(encoding="utf-8"))
    return loaded


def version() -> str:
    """What a decision was made with: the model and the tables of names."""
    return f"similarity-{model()['version']} {fingerprint()}"


def prepared(persons: pa.Table) -> pa.Table:
    """Persons with what the model compares: sounds, words and skeletons of names, parts of the birth date, keys."""
    columns: dict[str, pa.Array] = {"unique_id": persons["person_id"].combine_chunks()}
    for role in ROLES:
        columns |= _spoken(role, _one(persons[role]))
    columns |= _dated(_one(persons["born"]))
    for name in ("sex", "phone", "place", "number"):
        columns[name] = _one(persons[name])
    columns["scheme"] = _mapped(columns["number"], lambda number: number.partition(":")[0])
    columns["bag"] = _bags([columns[f"{role}_w"] for role in ROLES])
    columns["bag_k"] = _bags([columns[f"{role}_k"] for role in ROLES])
    columns["bag_latin"] = pc.coalesce(*(columns[f"{role}_latin"] for role in ROLES))
    columns["keys"] = blocking_keys(columns)
    return pa.table(columns)


def blocking_keys(columns: Mapping[str, pa.Array]) -> pa.Array:
    """For each person the texts under which they are looked for (list<string>).

    Never a name alone: a key is a name with a date or phone, or two names with a year, so that no count of keys tells
    which name is the most frequent one (stack.md, rank matching).
    """
    rough = [_rough(columns[f"{role}_k"]).to_pylist() for role in ROLES]
    dates, years, days = (columns[name].to_pylist() for name in ("date", "year", "month_day"))
    phones = columns["phone"].to_pylist()
    keys = []
    for names, date, year, day, phone in zip(zip(*rough, strict=True), dates, years, days, phones, strict=True):
        words = _first_words(names)
        mine = {f"d{date}|{word}" for word in words} if date else set()
        mine |= {f"p{phone}|{word}" for word in words} if phone else set()
        for one, other in combinations(words, 2):
            mine |= {f"y{year}|{one}|{other}"} if year else set()
            mine |= {f"m{day}|{one}|{other}"} if day else set()
        keys.append(sorted(mine))
    return pa.array(keys, pa.list_(pa.string()))


def _first_words(names: tuple[list[str] | None, ...]) -> list[str]:
    """A few different words, in one order whatever column they came in: the first of each role, then seconds."""
    ordered = [words[at] for at in range(4) for words in names if words and len(words) > at]
    return sorted(list(dict.fromkeys(ordered))[:_KEYED_WORDS])


def _rough(skeletons: pa.Array) -> pa.Array:
    """For finding only: without h, which Spanish does not speak, and with j as g (Jorge and Jorje, Hernández and
    Ernández)."""
    words = [None if row is None else [word.translate(_ROUGH) or word for word in row] for row in skeletons.to_pylist()]
    return pa.array(words, pa.list_(pa.string()))


_ROUGH = str.maketrans({"h": None, "j": "k"})


def compare(persons: pa.Table, population: int, frequencies: Frequencies, pending: Ids | None = None) -> pa.Table:
    """Pairs (one, other, weight, band) of persons alike enough to be the same; `one` < `other`.

    `persons`: as `prepared` gives them; `population`: persons of the country; `frequencies`: of the columns
    WEIGHED; `pending`: only pairs with one of these (None: all pairs).
    """
    from splink import DuckDBAPI, Linker

    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = _in_memory()
    try:
        asked = np.ones(len(persons), bool) if pending is None else np.isin(persons["unique_id"].to_numpy(), pending)
        connection.execute(_WORDS.read_text(encoding="utf-8"))
        api = DuckDBAPI(connection)
        settings = _settings(max(population, _LEAST_POPULATION))
        connection.register("delivered", persons.append_column("asked", pa.array(asked)))
        # Keys as numbers: a million persons have sixteen million of them.
        connection.execute(
            "CREATE TABLE person AS SELECT * REPLACE (list_transform(keys, lambda k: hash(k)) AS keys) FROM delivered"
        )
        connection.unregister("delivered")
        linker = Linker(api.register("person"), settings, log_level=40)
        for column in WEIGHED:
            values = pc.unique(_one(persons[column]).drop_null())
            shares = pa.array(frequencies.shares(column, values), pa.float64())
            lookup = api.register(pa.table({column: values, f"tf_{column}": shares}))
            linker.table_management.register_term_frequency_lookup(lookup, column)
        chunks = max(1, len(persons) // _CHUNK)
        found = linker.inference.predict(
            threshold_match_weight=model()["uncertain_from"], num_chunks_left=chunks, num_chunks_right=1
        )
        return connection.sql(_bands(found.physical_name)).to_arrow_table()
    finally:
        connection.close()


def no_frequencies() -> Frequencies:
    """Of a country that nobody has been counted in."""
    return Frequencies(WEIGHED, model()["unlisted_share"])


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
                made |= {"m_probability": level["m"], "u_probability": level["u"]}
                if column := level.get("frequency"):
                    made |= {
                        "tf_adjustment_column": column,
                        "tf_adjustment_weight": 1.0,
                        "tf_minimum_u_value": loaded["least_share"],
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
    loaded = model()
    return f"""
        SELECT least(unique_id_l, unique_id_r) AS one, greatest(unique_id_l, unique_id_r) AS other,
               match_weight AS weight,
               CASE WHEN match_weight >= {float(loaded["same_from"])} AND ({loaded["same_when"]})
                    THEN '{SAME}' ELSE '{UNCERTAIN}' END AS band
        FROM {predicted} WHERE {loaded["uncertain_when"]}"""  # noqa: S608  # constants of our own file


def _one(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _mapped(values: pa.Array, function: Any, kind: pa.DataType | None = None) -> pa.Array:
    """`function` of each text, called once for each distinct one; null stays null."""
    codes = values.dictionary_encode()
    made = pa.array([function(value) for value in codes.dictionary.to_pylist()], kind or pa.string())
    return made.take(codes.indices)


def _spoken(role: str, names: pa.Array) -> dict[str, pa.Array]:
    """`_s` sound without blanks, `_w` sounds of the words, `_k` their skeletons, `_j` those joined and without b (a
    Persian w is b or v in Latin), `_latin` its script, `_vowels` whether they are written."""
    listed = pa.list_(pa.string())
    return {
        f"{role}_s": _mapped(names, lambda name: sound(name).replace(" ", "") or None),
        f"{role}_w": _mapped(names, lambda name: sound(name).split(), listed),
        f"{role}_k": _mapped(names, lambda name: skeleton(sound(name)).split() or None, listed),
        f"{role}_j": _mapped(names, lambda name: skeleton(sound(name)).replace(" ", "").replace("b", "") or None),
        f"{role}_latin": _mapped(names, lambda name: name[0] < "\u0250", pa.bool_()),
        f"{role}_vowels": _mapped(names, lambda name: not "\u0600" <= name[0] <= "\u06ff", pa.bool_()),
    }


def _dated(born: pa.Array) -> dict[str, pa.Array]:
    """The first of January stands for an unknown day in every register of the region (domain.md 5.2)."""
    precise = _mapped(born, lambda date: date if len(date) == 10 and not date.endswith("-01-01") else None)
    return {
        "date": precise,
        "year": _mapped(born, lambda date: int(date[:4]), pa.int32()),
        "month": _mapped(born, lambda d: int(d[5:7]) if len(d) >= 7 and d[5:] != "01-01" else None, pa.int32()),
        "day": _mapped(precise, lambda date: int(date[8:]), pa.int32()),
        "month_day": _mapped(precise, lambda date: date[5:]),
    }


def _bags(names: list[pa.Array]) -> pa.Array:
    """All words of all names, for a person whose name came as a whole."""
    lists = [column.to_pylist() for column in names]
    bags = [sorted({word for words in row if words for word in words}) for row in zip(*lists, strict=True)]
    return pa.array(bags, pa.list_(pa.string()))
