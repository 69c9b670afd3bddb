-- a window hangs on the rows of its stage, and is not repeated
WITH s0 AS (SELECT "k" AS c1, "a" AS c2 FROM "t"),
s1 AS (SELECT * FROM s0 WHERE c2 > 0e0),
s2 AS (SELECT *, MAX(c2) OVER (PARTITION BY c1) AS c3 FROM s1),
s3 AS (SELECT * FROM s2 WHERE c1 > 1)
SELECT c3 AS "x", c1 AS "y" FROM s3
