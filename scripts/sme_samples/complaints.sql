-- Complaints: three firms in a hundred, those in trouble more often. Some are closed, a few late.
WITH who AS (
    SELECT *, hashed('complaint', i, 'a') AS a, hashed('complaint', i, 'b') AS b FROM latent
)
SELECT 'C' || lpad(i::VARCHAR, 7, '0') AS complaint_id, firm_id,
       extracted - whole(0, 120, draw(a, 1)) AS received,
       ['convenience', 'speed', 'rate', 'attitude'][band([0.2, 0.55, 0.85, 1.0], draw(a, 2))] AS theme,
       ['simple', 'complex', 'especially_complex', NULL][band([0.6, 0.9, 0.97, 1.0], draw(b, 0))] AS complexity,
       draw(b, 0) > 0.9 AND draw(b, 1) < 0.5 AS extension_approved,
       CASE WHEN draw(b, 1) < 0.75 AND closed <= extracted THEN closed END AS closed
FROM (SELECT *, extracted - whole(0, 120, draw(a, 1)) + whole(1, 40, draw(b, 2)) AS closed FROM who)
WHERE draw(a, 0) < CASE WHEN health < -1 THEN 0.07 ELSE 0.025 END
ORDER BY i
