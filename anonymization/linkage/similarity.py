"""How alike two persons are: a Fellegi-Sunter model run by splink, in memory, over persons that share a blocking key.

In: persons as `features` prepares them. Out: pairs with a weight (bits of evidence) and one of two bands. A pair is
weighed against everybody else who it could be: strangers, relatives and namesakes. The probabilities are fixed and
versioned (`similarity.json`); how often a name, year or day occurs comes from the population, from `calibration` how
much all of it is worth there, from `standing` what it is worth among the other pairs, and from `strictness` how much of
it joins. Where persons come from and what a band leads to is the business of `recognition`.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anonymization.linkage import candidates, forest, rarity
from anonymization.linkage.called import with_called
from anonymization.linkage.evidence import evidence
from anonymization.linkage.fathers import with_fathers
from anonymization.linkage.features import AGAIN
from anonymization.linkage.frequencies import Frequencies
from anonymization.linkage.misspelt import corrected, names_of_many
from anonymization.linkage.names import fingerprint
from anonymization.linkage.roster import Roster, Said
from anonymization.linkage.rounds import Rules
from anonymization.linkage.sieve import Sieve
from anonymization.linkage.strictness import Strictness, joined_from

if TYPE_CHECKING:
    import duckdb

Ids = npt.NDArray[np.int64]
_LOG = logging.getLogger(__name__)
_PAIRS = pa.schema([("one", pa.int64()), ("other", pa.int64())])
_WEIGHED = pa.schema(
    [
        *_PAIRS,
        *((bits, pa.float64()) for bits in ("weight", "besides", "phone")),
        *((told, pa.bool_()) for told in ("phones", "joinable")),
    ]
)
_BLOCKED = pa.schema([("join_key_l", pa.int64()), ("join_key_r", pa.int64()), ("match_key", pa.string())])
"""Which pairs splink weighs: ids of persons."""
_OF_PERSONS = re.compile(r"__splink__df_pruned_predict_input_[lr]_[0-9a-f]+\b")
_SIGNATURE = re.compile(r"^(CREATE MACRO \w+\([^)]*\)) AS[^;]*;", re.MULTILINE)

WEIGHED = ("given_s", "father_s", "grandfather_s", "family_s", "place", "year", "month_day")
"""What is strong evidence where it is rare and weak where it is frequent."""
_ITSELF = ("year", "month_day", *rarity.WHOLE)
"""Of these a share takes the place of a level's own u; of a name it says how much rarer or commoner the name is."""
WORDS = "bag"
"""The words of all names, whose shares weigh whole names."""
KINDS = ("twin", "sibling", "parent", "namesake")
"""Who is taken for the same person most easily: relatives share names, house and phone, namesakes names and places."""
SAME, UNCERTAIN = "same", "uncertain"
_MODEL = Path(__file__).with_name("similarity.json")
_WORDS = Path(__file__).with_name("similarity.sql")
_BRIEF = Path(__file__).with_name("similarity_of_few.sql")
_MEMORY = "1GB"
_SCORED = 50_000
"""So many pairs are weighed at a time."""
_FEW = 5_000
"""Of fewer pairs it is the reading of what is asked that takes time."""
_MORE = 6.0
"""By no more bits the forest moves a pair."""
_DOUBT = 1_000.0
"""So many pairs it takes to believe half of what the forest says, which was grown among some ten thousand."""
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


def compare(
    persons: Roster,
    population: int,
    frequencies: Frequencies,
    pending: Ids | None = None,
    heads: Mapping[int, int] | None = None,
) -> pa.Table:
    """Pairs (one, other, weight, band) of persons alike enough to be the same; `one` < `other`.

    Persons as for `seen`."""
    return _banded(seen(persons, population, frequencies, pending, heads))


def seen(
    persons: Roster,
    population: int,
    frequencies: Frequencies,
    pending: Ids | None = None,
    heads: Mapping[int, int] | None = None,
) -> pa.Table:
    """Pairs that are worth seeing, with all `evidence` there is of each.

    `population`: persons of the country; `frequencies`: of the columns WEIGHED; `pending`: only pairs with one of these
    (None: all pairs); `heads`: as whom those are known who were joined before. Pairs are made, dropped and weighed in
    parts: what grows with the persons is what is known of them, not what is compared.
    """
    asked = np.ones(len(persons), bool) if pending is None else np.isin(persons.ids, pending)
    weighable = _weighable(corrected(with_fathers(persons), frequencies, WORDS), frequencies)
    scale = _Scale(weighable, max(population, _LEAST_POPULATION))
    weighed = [_WEIGHED.empty_table()]
    compared, waiting = 0, _PAIRS.empty_table()
    with _in_memory() as connection:
        for one, other in candidates.in_parts(persons.keys, asked, int(model()["crowd"])):
            compared += len(one)
            pairs = pa.table({"one": np.minimum(one, other), "other": np.maximum(one, other)})
            waiting = pa.concat_tables([waiting, scale.sieve.passed(connection, scale.persons, pairs)])
            while len(waiting) >= _SCORED:
                weighed.append(scale.weighed(waiting.slice(0, _SCORED)))
                waiting = waiting.slice(_SCORED)
            _LOG.info("%d pairs of %d persons compared, %d left", compared, len(persons), sum(map(len, weighed)))
    found = pa.concat_tables([*weighed, scale.weighed(waiting)] if len(waiting) else weighed)
    known_as = np.array([(heads or {}).get(person, person) for person in persons.ids.tolist()], dtype=np.int64)
    groups = np.unique(known_as, return_inverse=True)[1]
    return evidence(found, scale.persons, asked, groups, model())


def _banded(seen: pa.Table) -> pa.Table:
    """Pairs with a band and the weight that all evidence together has: what is said among few pairs counts little."""
    more = np.clip(forest.learned().says({name: seen[name].to_numpy() for name in seen.column_names}), -_MORE, _MORE)
    weight = seen["weight"].to_numpy() + len(seen) ** 2 / (len(seen) ** 2 + _DOUBT**2) * more
    joinable = seen["joinable"].to_numpy()
    same = joinable & (weight >= joined_from(weight[joinable], Strictness(**model()["same_from"])))
    columns = {"weight": weight, "band": np.where(same, SAME, UNCERTAIN)}
    return pa.table({"one": seen["one"], "other": seen["other"]} | columns)


class _Scale:
    """Weighs pairs of `persons`: drops who cannot be the same, and asks splink about the others."""

    def __init__(self, persons: Roster, population: int) -> None:
        self.persons, self._population = persons, population
        odds = 1 / population
        self.sieve = Sieve(model(), float(np.log2(odds / (1 - odds))))

    def weighed(self, pairs: pa.Table) -> pa.Table:
        """Of `pairs` (one, other: rows of `persons`) those worth seeing, with weight and band."""
        rows = np.unique(np.concatenate([pairs["one"].to_numpy(), pairs["other"].to_numpy()]))
        persons = pa.table({"unique_id": self.persons.ids[rows], **self.persons.columns(self.persons.names, rows)})
        sides = [self.persons.ids[pairs[side].to_numpy()] for side in ("one", "other")]
        blocked = pa.table([*sides, pa.repeat("0", len(pairs))], schema=_BLOCKED)
        with _in_memory(_words_for_few() if len(pairs) < _FEW else None) as connection:
            connection.register("compared", persons)
            connection.register("blocked", blocked)
            # A table: DuckDB would work out a level that is asked for once more for each time that it is.
            connection.execute(f"CREATE TABLE predicted AS {_question(self._population, _undone(persons.schema))}")
            return connection.sql(_bands("predicted")).to_arrow_table()


@lru_cache(maxsize=8)
def _question(population: int, columns: pa.Schema) -> str:
    """What splink asks of tables `compared` (persons, of these columns) and `blocked`, as SQL.

    To make it takes longer than most comparisons of few persons, so it is made once: with nobody in the tables, and
    with macros that say nothing, since splink only names them."""
    from splink import DuckDBAPI, Linker

    logging.getLogger("splink").setLevel(logging.ERROR)
    with _in_memory(_SIGNATURE.sub(r"\1 AS NULL;", _words())) as connection:
        api = DuckDBAPI(connection)
        # To check the settings takes long as well; what it finds would be a warning in a log.
        linker = Linker(
            api.register(columns.empty_table()), _settings(population), log_level=40, validate_settings=False
        )
        for column in (*WEIGHED, *rarity.WHOLE):
            # Each person's share is a column of theirs; without a table of shares splink would count for itself.
            none = pa.table({column: pa.array([], pa.string()), f"tf_{column}": pa.array([], pa.float64())})
            linker.table_management.register_term_frequency_lookup(api.register(none), column)
        blocked = api.register(_BLOCKED.empty_table())
        linker.table_management.register_blocked_pairs_for_predict(blocked)
        asked = linker.inference.predict(warning_mode="never").sql_used_to_create
    return _OF_PERSONS.sub("compared", asked).replace(blocked.physical_name, "blocked")


def _undone(columns: pa.Schema) -> pa.Schema:
    """The same columns without dictionaries, which are there or not."""
    return pa.schema(
        [(one.name, one.type.value_type if pa.types.is_dictionary(one.type) else one.type) for one in columns]
    )


def _weighable(persons: Roster, frequencies: Frequencies) -> Roster:
    """Persons without days and phones that stand for none, and with how frequent and how rare is what they say."""
    phone = persons.said["phone"]
    often = np.append(phone.bearers() > int(model()["shared_phone"]), False)
    persons = persons.but("phone", often[phone.code])
    days = persons.said["month_day"]
    heaped = np.append(frequencies.shares("month_day", _values(days, "month_day")) > model()["heaped"], False)
    for name in ("date", "month", "day", "month_day"):
        persons = persons.but(name, heaped[days.code])
    for column in WEIGHED:
        key = next(key for key, said in persons.said.items() if column in said.values.column_names)
        values = _values(persons.said[key], column)
        shares = pa.array(frequencies.shares(column, values), mask=values.is_null().to_numpy(zero_copy_only=False))
        # The chance of a day is that of its year and of its place in the year.
        scaled = pc.divide(shares, float(model()["years_of_birth"])) if column == "month_day" else shares
        persons = persons.with_values(key, {f"tf_{column}": scaled})
    persons = persons.with_words({"bits": _bits(_values(persons.words, WORDS), frequencies)})
    persons = with_called(rarity.of_whole_names(persons))
    called = _values(persons.said["full_n"], "called")
    known = pa.array(names_of_many(frequencies, WORDS, called), mask=called.is_null().to_numpy(zero_copy_only=False))
    return persons.with_values("full_n", {"called_known": known})


def _values(said: Said, column: str) -> pa.Array:
    return said.values[column].combine_chunks()


def no_frequencies() -> Frequencies:
    """Of a country that nobody has been counted in."""
    return Frequencies((*WEIGHED, WORDS), model()["unlisted_share"])


def _bits(words: pa.Array, frequencies: Frequencies) -> pa.Array:
    """How rare each word of names is."""
    shares = frequencies.shares(WORDS, pc.replace_substring(words, AGAIN, ""))
    return pa.array(-np.log2(np.maximum(shares, model()["least_share"]["name"])))


@cache
def _words() -> str:
    return _WORDS.read_text(encoding="utf-8")


@cache
def _words_for_few() -> str:
    return _words() + _BRIEF.read_text(encoding="utf-8")


@contextmanager
def _in_memory(macros: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB without a folder to spill into: names in clear never reach a disk; too much is an error, not a file."""
    import duckdb

    with duckdb.connect(":memory:") as connection:
        connection.execute(f"SET memory_limit = '{_MEMORY}'; SET temp_directory = ''")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
        connection.execute(_words() if macros is None else macros)
        yield connection


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
                        "disable_tf_exact_match_detection": column in _ITSELF,
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
    besides, least = "match_weight - mw_born - mw_tf_adj_born", float(loaded["seen_from"])
    return f"""
        SELECT least(unique_id_l, unique_id_r) AS one, greatest(unique_id_l, unique_id_r) AS other,
               {_against_all("match_weight")} AS weight, {_against_all(besides, without="born")} AS besides,
               mw_phone AS phone, mw_phone < 0 AS phones, {loaded["same_when"]} AS joinable
        FROM {predicted} WHERE match_weight >= {least} AND weight >= {least}"""  # noqa: S608  # constants of our own file


def _against_all(strangers: str, without: str = "") -> str:
    """Bits against whoever else it could be, if a pair has as many against strangers."""
    odds = " + ".join(f"2 ** -({_against(place, kind, without)})" for place, kind in enumerate(KINDS))
    return f"-log2(2 ** -({strangers}) + {odds})"


def _against(place: int, kind: str, without: str) -> str:
    """Bits of evidence for the same person against a relative of this kind, number `place` of KINDS, `without` one of
    the comparisons."""
    loaded = model()
    terms = [str(-np.log2(loaded["relatives"][kind]))]
    for comparison in loaded["comparisons"]:
        if comparison["name"] == without:
            continue
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
