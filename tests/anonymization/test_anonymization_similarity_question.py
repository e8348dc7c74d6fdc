"""What splink asks of persons is made once of the model, of nobody, and asks what splink itself would have asked."""

from itertools import product

import pyarrow as pa
from splink import DuckDBAPI, Linker

from anonymization.linkage import features, rarity, similarity
from anonymization.linkage.fathers import with_fathers
from anonymization.linkage.misspelt import corrected
from anonymization.linkage.roster import Roster

FATIMA: dict[str, str | None] = {
    "given": "fatima", "father": "yusuf", "grandfather": "omar", "family": "haddad", "full": None,
    "born": "1988-03-14", "sex": "female", "phone": "+9647701234567", "place": "mosul", "number": None,
}  # fmt: skip
PARTS = ("given", "father", "grandfather", "family")
DIFFERS: tuple[dict[str, str | None], ...] = (
    {},
    {"given": "fatma", "place": "mossoul"},
    {"given": "haddad", "family": "fatima", "phone": None},
    {"given": "mohammed ali", "father": "ali reza", "born": "1988-14-03"},
    {"given": "ali", "father": "reza ali", "grandfather": "omer"},
    {"given": "فاطمه", "father": "یوسف", "family": "حداد"},
    {**dict.fromkeys(PARTS), "full": "fatima yusuf haddad", "number": "reg:12345678"},
    {**dict.fromkeys(PARTS), "full": "haddad fatma", "number": "reg:12345679"},
    {**dict.fromkeys(PARTS), "full": "فاطمه یوسف", "sex": "male"},
)


def roster() -> Roster:
    rows = [{"person_id": n, **FATIMA, **differs} for n, differs in enumerate(DIFFERS)]
    return Roster.of([features.prepared(pa.Table.from_pylist(rows, features.PERSONS))])


def scale() -> similarity._Scale:
    counted = similarity.no_frequencies()
    persons = corrected(with_fathers(roster()), counted, similarity.WORDS)
    return similarity._Scale(similarity._weighable(persons, counted), 10_000)


def every_pair() -> pa.Table:
    pairs = [(one, other) for other in range(len(DIFFERS)) for one in range(other)]
    return pa.table({"one": [one for one, _ in pairs], "other": [other for _, other in pairs]})


def weighed_by_splink(persons: Roster, pairs: pa.Table) -> pa.Table:
    """By splink from one end to the other, with the macros as they are."""
    rows = pa.array(range(len(persons))).to_numpy()
    compared = pa.table({"unique_id": persons.ids, **persons.columns(persons.names, rows)})
    sides = [persons.ids[pairs[side].to_numpy()] for side in ("one", "other")]
    blocked = pa.table([*sides, pa.repeat("0", len(pairs))], schema=similarity._BLOCKED)
    with similarity._in_memory() as connection:
        api = DuckDBAPI(connection)
        settings = similarity._settings(10_000)
        linker = Linker(api.register(compared), settings, log_level=40, validate_settings=False)
        for column in (*similarity.WEIGHED, *rarity.WHOLE):
            none = pa.table({column: pa.array([], pa.string()), f"tf_{column}": pa.array([], pa.float64())})
            linker.table_management.register_term_frequency_lookup(api.register(none), column)
        linker.table_management.register_blocked_pairs_for_predict(api.register(blocked))
        predicted = linker.inference.predict(threshold_match_weight=similarity.model()["seen_from"])
        return connection.sql(similarity._bands(predicted.physical_name)).to_arrow_table()


def test_pairs_weigh_to_the_last_bit_what_splink_says_of_them() -> None:
    asked, pairs = scale(), every_pair()
    order = [("one", "ascending"), ("other", "ascending")]
    ours = asked.weighed(pairs).sort_by(order)
    assert len(ours) > len(DIFFERS)
    assert ours.equals(weighed_by_splink(asked.persons, pairs).sort_by(order))


def test_names_are_exchanged_or_not_whether_few_pairs_are_compared_or_many() -> None:
    """Few are asked in fewer words. Of four names every order, and each of them left away."""
    words = (["fatma"], ["fatima"], ["haddad"], ["al", "haddad"], ["omar", "h"], [""], None)
    four = [list(names) for names in product(words, repeat=4)]
    table = pa.table({name: [names[at] for names in four] for at, name in enumerate("abcd")})
    told = []
    for macros in (similarity._words(), similarity._words_for_few()):
        with similarity._in_memory(macros) as connection:
            connection.register("names", table)
            told.append(connection.sql("SELECT a, b, c, d, exchanged(a, b, c, d) AS x FROM names").fetchall())
    many, few = (sorted(map(repr, one)) for one in told)
    assert many == few
    assert 100 < sum(row[-1] for row in told[0]) < len(four)


def test_what_is_asked_is_made_once() -> None:
    similarity._question.cache_clear()
    for _ in range(2):
        similarity.compare(roster(), 10_000, similarity.no_frequencies())
    made = similarity._question.cache_info()
    assert (made.misses, made.hits) == (1, 1)


def test_what_is_asked_of_persons_is_the_same_whatever_they_have_in_common() -> None:
    """Names that many have come as dictionaries, names of few as they are: nothing is asked anew for that."""
    words = pa.schema([("unique_id", pa.int64()), ("given_s", pa.dictionary(pa.int32(), pa.string()))])
    assert similarity._undone(words) == pa.schema([("unique_id", pa.int64()), ("given_s", pa.string())])
