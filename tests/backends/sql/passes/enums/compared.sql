-- a column that is only compared with constants, and a result
WITH s0 AS (SELECT "a" AS c1 FROM "t"),
s1 AS (SELECT *, CASE WHEN c1 > 1e0 THEN 'high' WHEN c1 > 0e0 THEN 'middle' ELSE 'low' END AS c2 FROM s0)
SELECT c2 AS "x", CASE WHEN c2 = 'high' OR c2 IN ('low', 'none') THEN 'yes' ELSE 'no' END AS "y", c2 IS NULL AS "z"
FROM s1
