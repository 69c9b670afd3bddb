-- what nothing reads goes, and what only it reads
WITH s0 AS (SELECT "a" AS c1, "b" AS c2 FROM "t"),
s1 AS (SELECT *, c1 / 7e0 AS c3 FROM s0),
s2 AS (SELECT *, c3 * c3 AS c4 FROM s1)
SELECT c2 AS "x" FROM s2
