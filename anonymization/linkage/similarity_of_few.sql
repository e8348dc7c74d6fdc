-- What similarity.sql says in fewer words, for pairs so few that reading takes longer than comparing: both names of each
-- are compared, also where the first has told already that they are not exchanged.
CREATE OR REPLACE MACRO exchanged(one, its, other, theirs) AS
    len(list_filter([{'a': one, 'b': its}, {'a': other, 'b': theirs}], lambda p: coalesce(crosswise(p.a, p.b), false))) = 2;
