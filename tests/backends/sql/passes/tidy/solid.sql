-- solid: c3
-- a column that is never NULL makes what is built on it never NULL
WITH s0 AS (SELECT "a" AS c1, "s" AS c3 FROM "t"),
s1 AS (SELECT *, CASE WHEN c3 > 1e0 THEN TRUE ELSE FALSE END AS c4 FROM s0),
s2 AS (SELECT *, CASE WHEN c4 THEN TRUE ELSE FALSE END AS c5, c4 IS NULL AS c6 FROM s1)
SELECT CASE WHEN c5 THEN 1 ELSE 0 END AS "x", CASE WHEN c6 THEN 1 ELSE 0 END AS "y", c3 + c1 IS NULL AS "z" FROM s2
