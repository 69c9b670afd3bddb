-- a column that a join reads stays; the stage of a join stays, and names of stages that went are mended
WITH s0 AS (SELECT "a" AS c1, "s" AS c2 FROM "t"),
s1 AS (SELECT *, c1 IS NULL AS c3 FROM s0),
s2 AS (SELECT *, c2 + 1e0 AS c4 FROM s1),
l1 AS (SELECT f1, f2 FROM (VALUES (1e0, 10e0), (2e0, 20e0)) AS v(f1, f2)),
s3 AS (SELECT s2.*, l1.f2 FROM s2 LEFT JOIN l1 ON s2.c4 = l1.f1),
s4 AS (SELECT *, f2 + 1e0 AS c5 FROM s3)
SELECT c5 AS "x", c3 AS "y" FROM s4
