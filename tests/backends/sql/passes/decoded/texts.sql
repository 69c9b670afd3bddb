-- solid: c1, c2
-- a list of constants is read from a table; a row that is refused has none
WITH s0 AS (SELECT "y" AS c1, "z" AS c2 FROM "t")
SELECT ARRAY_COMPACT([CASE WHEN c1 THEN 'one' END, CASE WHEN c2 THEN 'two' END]) AS "x",
CASE WHEN c1 THEN NULL ELSE ARRAY_COMPACT([CASE WHEN c2 THEN 'it''s' END, CASE WHEN c1 THEN 'b' END]) END AS "y" FROM s0
