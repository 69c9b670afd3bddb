-- Answers to surveys, a row a theme: satisfaction 1 to 5, would recommend 0 to 10, effort 1 (easy) to 7. A quarter of
-- the firms answered; speed got better in March 2026, when approval went online.
WITH asked AS (
    SELECT *, hashed('survey', i, 'a') AS a FROM latent
), themes AS (
    SELECT *, unnest(range(1, 5)) AS number, DATE '2026-07-10' - whole(0, 300, draw(a, 1)) AS answered
    FROM asked WHERE draw(a, 0) < 0.25
), drawn AS (
    SELECT *, hashed('answer', i, number) AS b FROM themes
)
SELECT firm_id, answered, ['convenience', 'speed', 'rate', 'attitude'][number] AS theme,
       greatest(1, least(5, round([3.9, 3.3, 3.1, 4.2][number] + 0.2 * health + normal(draw(b, 0)) * 0.9
           + CASE WHEN number = 2 AND answered >= DATE '2026-03-01' THEN 0.7 ELSE 0 END)))::INTEGER AS satisfaction,
       CASE WHEN number = 1 THEN greatest(0, least(10, round(7.4 + 0.5 * health + 2 * normal(draw(b, 1)))))::INTEGER
       END AS recommend,
       CASE WHEN number = 1 THEN greatest(1, least(7, round(3 + 1.4 * normal(draw(b, 2)))))::INTEGER END AS effort
FROM drawn
ORDER BY i, answered, number
