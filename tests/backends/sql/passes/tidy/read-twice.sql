-- what costs something and is read twice stays a column, at the first stage that has all that it reads
WITH s0 AS (SELECT "a" AS c1, "b" AS c2 FROM "t"),
s1 AS (SELECT *, c1 > 0e0 AS c3 FROM s0),
s2 AS (SELECT *, CASE WHEN c3 THEN 1e0 ELSE 3e0 END AS c4 FROM s1),
s3 AS (SELECT *, SQRT(ABS(c1)) + c2 * c2 AS c5 FROM s2)
SELECT c5 + 1e0 AS "x", c5 - 1e0 AS "y", c4 AS "z" FROM s3
