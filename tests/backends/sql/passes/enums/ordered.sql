-- texts that are ordered, joined or measured stay texts: a type orders them by their places
WITH s0 AS (SELECT "a" AS c1 FROM "t"),
s1 AS (SELECT *, CASE WHEN c1 > 1e0 THEN 'b' ELSE 'a' END AS c2, CASE WHEN c1 > 1e0 THEN 'd' ELSE 'c' END AS c3 FROM s0)
SELECT c2 < 'b' AS "x", c3 || '!' AS "y" FROM s1
