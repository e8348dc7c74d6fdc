-- Names as sets of words, whatever their order: what the conditions in similarity.json are made of.

-- One word in two spellings: a slip of the key, a letter read wrong, another transliteration.
CREATE MACRO near(a, b) AS
    a = b
    OR (least(length(a), length(b)) >= 4 AND damerau_levenshtein(a, b) <= 1)
    OR (least(length(a), length(b)) >= 8 AND damerau_levenshtein(a, b) <= 2);

-- The same, or one of them is the other's initial.
CREATE MACRO near_or_initial(a, b) AS near(a, b) OR (least(length(a), length(b)) = 1 AND a[1] = b[1]);

CREATE MACRO near_words(few, many) AS
    len(list_filter(few, lambda x: len(list_filter(many, lambda y: near(x, y))) > 0));

CREATE MACRO initial_words(few, many) AS
    len(list_filter(few, lambda x: len(list_filter(many, lambda y: near_or_initial(x, y))) > 0));

-- Every word of the shorter name is a word of the longer.
CREATE MACRO all_near(one, other) AS
    CASE WHEN len(one) <= len(other) THEN near_words(one, other) = len(one) ELSE near_words(other, one) = len(other) END;

-- The same with initials; an initial alone is no name. Most names are one word: the lists are walked for the others.
CREATE MACRO all_alike(one, other) AS
    CASE
        WHEN length(one[1]) < 2 OR length(other[1]) < 2 THEN false
        WHEN len(one) = 1 AND len(other) = 1 THEN near(one[1], other[1])
        WHEN len(one) <= len(other) THEN initial_words(one, other) = len(one)
        ELSE initial_words(other, one) = len(other)
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

-- Two names in each other's column.
CREATE MACRO exchanged(one, its, other, theirs) AS
    CASE WHEN coalesce(first_alike(one, its), false) THEN coalesce(first_alike(other, theirs), false) ELSE false END;

-- One name is the beginning of the other: a narrow column, or the second half of a compound left out.
CREATE MACRO cut_short(a, b) AS
    least(length(a), length(b)) >= 3
    AND abs(length(a) - length(b)) >= 3
    AND (starts_with(a, b) OR starts_with(b, a));
