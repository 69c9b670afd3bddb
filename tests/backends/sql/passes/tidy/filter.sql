-- a column is not made before a filter that was before it: it may fail for the rows left out
WITH s0 AS (SELECT "a" AS c1, "b" AS c2 FROM "t"),
s1 AS (SELECT * FROM s0 WHERE CASE WHEN c1 > 0e0 THEN TRUE ELSE FALSE END),
s2 AS (SELECT *, LN(c1) + LN(c1 + 1e0) AS c3 FROM s1),
s3 AS (SELECT *, c3 * 2e0 AS c4 FROM s2)
SELECT c3 + c4 AS "x", c3 - c4 AS "y" FROM s3
