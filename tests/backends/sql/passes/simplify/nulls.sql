-- a test against NULL asks for the columns behind it
a + b IS NULL
a + s IS NULL
s * 2e0 IS NULL
NOT (a < b) IS NULL
ABS(a) IS NULL
p AND q IS NULL
(p AND q) IS NULL
(a > 1e0 AND b > 1e0) IS NULL
(a > 1e0 OR y) IS NULL
a IN (1e0, 2e0) IS NULL
NULL IS NULL
CASE WHEN p THEN 1e0 ELSE 2e0 END IS NULL
CASE WHEN p THEN 1e0 END IS NULL
