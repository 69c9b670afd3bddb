-- what is read once, or is a cheap test, stands where it is read; stages without columns go
WITH s0 AS (SELECT "a" AS c1, "b" AS c2 FROM "t"),
s1 AS (SELECT *, c1 + c2 AS c3, c1 > 1e0 AS c4 FROM s0),
s2 AS (SELECT *, c3 * 2e0 AS c5 FROM s1)
SELECT c5 AS "x", CASE WHEN c4 THEN 1e0 END AS "y", c4 AS "z" FROM s2
