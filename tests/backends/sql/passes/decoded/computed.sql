-- solid: c1, c2
-- an item that is no constant, and a list of one item, are made as they are
WITH s0 AS (SELECT "y" AS c1, "z" AS c2, "s" AS c3 FROM "t")
SELECT ARRAY_COMPACT([CASE WHEN c1 THEN c3 END, CASE WHEN c2 THEN 2e0 END]) AS "x",
ARRAY_COMPACT([CASE WHEN c1 THEN 'only' END]) AS "y" FROM s0
