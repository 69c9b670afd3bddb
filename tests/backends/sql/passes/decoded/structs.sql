-- solid: c1, c2
WITH s0 AS (SELECT "y" AS c1, "z" AS c2 FROM "t")
SELECT ARRAY_COMPACT([CASE WHEN c1 THEN {'n': 1e0, 'of': 'p'} END, CASE WHEN c2 THEN {'n': 2e0, 'of': 'q'} END]) AS "x"
FROM s0
