-- a CASE that gives more than constants stays one of texts
WITH s0 AS (SELECT "a" AS c1, "w" AS c2 FROM "t")
SELECT CASE WHEN c1 > 1e0 THEN 'b' ELSE c2 END AS "x", CASE WHEN c1 > 1e0 THEN 'b' END AS "y" FROM s0
