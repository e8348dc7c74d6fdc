-- Names as sets of words, whatever their order: what the conditions in similarity.json are made of.
--
-- DuckDB puts the text of a macro wherever it is named, and into it those of its arguments: to read all that takes longer
-- than to compare few persons. A macro that would stand in both branches of a CASE stands once, in a lambda over a list
-- of one: what the branches ask it about.

-- Few slips. Of two texts of at most n letters that k slips lie between, n - k agree, at worst half of them out of
-- place: their Jaro similarity is (5 - 4k / n) / 6 or more. Most pairs have less, which is told ten times faster than
-- slips are counted.
CREATE MACRO slipped(a, b, most) AS
    CASE
        WHEN abs(strlen(a) - strlen(b)) > most
            OR jaro_similarity(a, b) < 0.83 - 0.67 * most / greatest(strlen(a), strlen(b)) THEN false
        ELSE damerau_levenshtein(a, b) <= most
    END;

-- One word in two spellings: a slip of the key, a letter read wrong, another transliteration. A word that a name has
-- twice ("omar again") is only itself.
CREATE MACRO near(a, b) AS
    CASE
        WHEN a = b THEN true
        WHEN least(length(a), length(b)) < 4 OR contains(a, ' ') OR contains(b, ' ') THEN false
        WHEN least(length(a), length(b)) >= 8 THEN slipped(a, b, 2)
        ELSE slipped(a, b, 1)
    END;

-- The same, or one of them is the other's initial.
CREATE MACRO near_or_initial(a, b) AS near(a, b) OR (least(length(a), length(b)) = 1 AND a[1] = b[1]);

-- How many words of one name are words of the other. Equal words are counted fast, and are most of those that agree.
CREATE MACRO near_words(few, many) AS
    CASE
        WHEN len(list_intersect(few, many)) = len(few) THEN len(few)
        ELSE len(list_filter(few, lambda x: list_contains(many, x) OR len(list_filter(many, lambda y: near(x, y))) > 0))
    END;

CREATE MACRO initial_words(few, many) AS
    len(list_filter(few, lambda x: len(list_filter(many, lambda y: near_or_initial(x, y))) > 0));

-- Every word of the shorter name, or its initial, is one of the longer.
CREATE MACRO all_initial(one, other) AS
    list_transform(
        [CASE WHEN len(one) <= len(other) THEN {'few': one, 'many': other} ELSE {'few': other, 'many': one} END],
        lambda p: initial_words(p.few, p.many) = len(p.few)
    )[1];

-- Every word of the shorter name is a word of the longer.
CREATE MACRO all_near(one, other) AS
    CASE WHEN len(one) <= len(other) THEN near_words(one, other) = len(one) ELSE near_words(other, one) = len(other) END;

-- The same with initials; an initial alone is no name. Most names are one word: the lists are walked for the others.
CREATE MACRO all_alike(one, other) AS
    CASE
        WHEN length(one[1]) < 2 OR length(other[1]) < 2 THEN false
        WHEN len(one) = 1 AND len(other) = 1 THEN near(one[1], other[1])
        ELSE all_initial(one, other)
    END;

-- The same for a name of many words: all but one in full.
CREATE MACRO all_nearly(one, other) AS
    near_words(one, other) >= least(len(one), len(other)) - 1
    AND CASE
        WHEN len(one) <= len(other) THEN initial_words(one, other) = len(one)
        ELSE initial_words(other, one) = len(other)
    END;

-- A person is called by the first of several names; twins share the others.
CREATE MACRO first_alike(one, other) AS
    CASE
        WHEN near_or_initial(one[1], other[1]) THEN all_alike(one, other)
        WHEN len(one) > 1 AND len(one) = len(other) THEN all_near(one, other)
        ELSE false
    END;

-- Half of all lists leave a Mohammed away who stands before another name: it is the second by which one is called, and
-- that two have the first in common says nothing.
CREATE MACRO is_mohammed(word) AS regexp_full_match(word, 'm[aiu]?h[aiu]?m[aiu]?d');
CREATE MACRO behind_mohammed(words) AS len(words) > 1 AND is_mohammed(words[1]);
CREATE MACRO word_shared(one, other) AS
    list_has_any(one, other) AND len(list_filter(list_intersect(one, other), lambda x: NOT is_mohammed(x))) > 0;

CREATE MACRO glued(words) AS array_to_string(words, '');

-- Two names in each other's column: their words, or letters, whatever blanks stand between them. That both are there
-- tells more than which word is first.
CREATE MACRO crosswise(one, other) AS
    CASE
        WHEN all_alike(one, other) THEN true
        WHEN len(one) = len(other) THEN false
        ELSE near(glued(one), glued(other))
    END;

CREATE MACRO exchanged(one, its, other, theirs) AS
    CASE WHEN coalesce(crosswise(one, its), false) THEN coalesce(crosswise(other, theirs), false) ELSE false END;

-- One name is the beginning of the other: a narrow column, or the second half of a compound left out.
CREATE MACRO cut_short(a, b) AS
    least(length(a), length(b)) >= 3
    AND abs(length(a) - length(b)) >= 3
    AND (starts_with(a, b) OR starts_with(b, a));

-- A name in two spellings. Where vowels are not written, three letters with one slip are another name.
CREATE MACRO slip_of_all(a, b, vowels) AS
    CASE
        WHEN least(length(a), length(b)) >= 6
        THEN slipped(a, b, CASE WHEN jaro_winkler_similarity(a, b) >= 0.88 THEN 2 ELSE 1 END)
        WHEN least(length(a), length(b)) >= 4 THEN slipped(a, b, 1)
        WHEN least(length(a), length(b)) = 3 AND vowels THEN damerau_levenshtein(a, b) <= 1
        ELSE false
    END;

-- Of two texts of several words what is behind the first, if that is the same: it would make any two alike, and Mohammed
-- Said is no slip of Mohammed Hamid.
CREATE MACRO first_word_shared(a, b) AS
    contains(a, ' ') AND contains(b, ' ') AND split_part(a, ' ', 1) = split_part(b, ' ', 1);
CREATE MACRO behind_first(a) AS a[strpos(a, ' ') + 1 :];

CREATE MACRO slip(a, b, vowels) AS
    list_transform(
        [CASE WHEN first_word_shared(a, b) THEN {'a': behind_first(a), 'b': behind_first(b)} ELSE {'a': a, 'b': b} END],
        lambda p: slip_of_all(p.a, p.b, vowels)
    )[1];

-- The same of the letters of names whose words are known.
CREATE MACRO first_shared(words, others) AS coalesce(len(words) > 1 AND len(others) > 1 AND words[1] = others[1], false);

CREATE MACRO slip_apart(a, words, b, others, vowels) AS
    list_transform(
        [
            CASE
                WHEN first_shared(words, others) THEN {'a': glued(words[2:]), 'b': glued(others[2:])}
                ELSE {'a': a, 'b': b}
            END
        ],
        lambda p: slip(p.a, p.b, vowels)
    )[1];

CREATE MACRO likeness(a, words, b, others) AS
    CASE
        WHEN first_shared(words, others) THEN jaro_winkler_similarity(glued(words[2:]), glued(others[2:]))
        ELSE jaro_winkler_similarity(a, b)
    END;

-- Zona 1 and Zona 2 are no slip apart.
CREATE MACRO same_digits(a, b) AS regexp_replace(a, '[^0-9]', '', 'g') = regexp_replace(b, '[^0-9]', '', 'g');

-- What two scripts have in common of one name.
CREATE MACRO same_consonants(a, b) AS
    a = b
    OR a = 'l' || b -- an article that one of them has (Alqadi)
    OR b = 'l' || a;

CREATE MACRO slipped_consonants(a, b) AS CASE WHEN least(length(a), length(b)) >= 4 THEN slipped(a, b, 1) ELSE false END;

-- Whole names are compared by sound; between scripts by consonants too, and by them alone where vowels are not written.
CREATE MACRO near_either(a, bones, b, other_bones) AS near(a, b) OR (length(bones) >= 3 AND bones = other_bones);

CREATE MACRO in_either(a, bones, many, many_bones) AS
    len(list_filter(many, lambda y, j: near_either(a, bones, y, many_bones[j]))) > 0;

-- How many words two names have in common.
CREATE MACRO common_of(few, few_bones, many, many_bones, one_script, by_sound) AS
    CASE
        WHEN one_script THEN near_words(few, many)
        WHEN by_sound THEN len(list_filter(few, lambda x, i: in_either(x, few_bones[i], many, many_bones)))
        ELSE near_words(few_bones, many_bones)
    END;

CREATE MACRO common(b1, k1, b2, k2, latin1, latin2, vowels1, vowels2) AS
    CASE
        WHEN len(b1) <= len(b2) THEN common_of(b1, k1, b2, k2, latin1 = latin2, vowels1 AND vowels2)
        ELSE common_of(b2, k2, b1, k1, latin1 = latin2, vowels1 AND vowels2)
    END;

-- How rare those words are: bits of each word of the shorter that the longer has.
CREATE MACRO bits_of(few, few_bones, bits, many, many_bones, one_script, by_sound) AS
    coalesce(
        list_sum(
            list_transform(
                few,
                lambda x, i:
                    CASE
                        WHEN one_script AND (list_contains(many, x) OR len(list_filter(many, lambda y: near(x, y))) > 0) THEN bits[i]
                        WHEN NOT one_script AND by_sound AND in_either(x, few_bones[i], many, many_bones) THEN bits[i]
                        WHEN NOT one_script AND NOT by_sound AND near_words([few_bones[i]], many_bones) = 1 THEN bits[i]
                        ELSE 0
                    END
            )
        ),
        0
    );

CREATE MACRO common_bits(b1, k1, bits1, b2, k2, bits2, latin1, latin2, vowels1, vowels2) AS
    CASE
        WHEN len(b1) <= len(b2) THEN bits_of(b1, k1, bits1, b2, k2, latin1 = latin2, vowels1 AND vowels2)
        ELSE bits_of(b2, k2, bits2, b1, k1, latin1 = latin2, vowels1 AND vowels2)
    END;

-- The given name of each is a word of the other, as far as a whole name tells which it is (`called`).
CREATE MACRO given_in(given, whole, many) AS
    CASE WHEN given IS NOT NULL THEN all_near(given, many) WHEN whole IS NOT NULL THEN near_words([whole], many) = 1 ELSE true END;

CREATE MACRO givens_shared(g1, f1, b1, g2, f2, b2, gk1, fk1, bk1, gk2, fk2, bk2, one_script, by_sound) AS
    CASE
        WHEN (one_script OR by_sound) AND given_in(g1, f1, b2) AND given_in(g2, f2, b1) THEN true
        WHEN one_script THEN false
        ELSE given_in(gk1, fk1, bk2) AND given_in(gk2, fk2, bk1)
    END;

-- Words that only one of two names has: none, or one that may be the other's with more than a slip.
CREATE MACRO rest_of(words, others) AS list_filter(words, lambda x: NOT list_contains(others, x) AND len(list_filter(others, lambda y: near(x, y))) = 0);

CREATE MACRO rest_likeness(one, other) AS jaro_winkler_similarity(rest_of(one, other)[1], rest_of(other, one)[1]);

CREATE MACRO rest_alike(one, other) AS coalesce(rest_likeness(one, other) >= 0.8, true);

-- Each has a given name that the other has not, and that is no spelling or initial of one of the other's: Maria Elena and
-- Maria Jose.
CREATE MACRO spelt_alike(a, b) AS near_or_initial(a, b) OR jaro_winkler_similarity(a, b) >= 0.8;

CREATE MACRO strange(given, others) AS len(others) > 0 AND len(list_filter(others, lambda y: spelt_alike(given, y))) = 0;

CREATE MACRO contradicting(givens1, bag1, givens2, bag2) AS
    len(list_filter(rest_of(givens1, bag2), lambda x: strange(x, rest_of(givens2, bag1)))) > 0;
