-- a chain of its own below an aggregation; an aggregate stays where it is
WITH s0 AS (SELECT "k" AS c1 FROM "t"),
r0 AS (SELECT e."k" AS c2, e."a" AS c3 FROM "t" AS e),
r1 AS (SELECT *, c3 * 2e0 AS c4 FROM r0),
r2 AS (SELECT *, c4 + 1e0 AS c5 FROM r1),
a1 AS (SELECT c2, MAX(c5) AS c6, COUNT(*) AS c7 FROM r2 GROUP BY c2),
s1 AS (SELECT s0.*, a1.c6, a1.c7 FROM s0 LEFT JOIN a1 ON s0.c1 = a1.c2),
s2 AS (SELECT *, COALESCE(c6, 0e0) AS c8 FROM s1)
SELECT c8 AS "x", c8 + 1e0 AS "y" FROM s2
