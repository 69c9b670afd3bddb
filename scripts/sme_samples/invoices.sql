-- Sales invoices of the last two years. Returns are negative, voids say when they were voided, some invoices are
-- there twice, some buyers are not told, and some are dated after the day that decisions are made for.
WITH numbered AS (
    SELECT *, least(26.0, 12 * years) AS months, unnest(range(0, invoices)) AS place FROM latent
), drawn AS (
    SELECT *, hashed('invoice', i, place) AS a, hashed('invoice', i, place || 'b') AS b FROM numbered
), dated AS (
    SELECT *,
           CASE WHEN place = 0 THEN extracted - whole(0, 20, draw(a, 0))
                ELSE as_of - floor(30.4 * months * (place + draw(a, 0)) / invoices)::INTEGER END AS issued
    FROM drawn
), sold AS (
    SELECT *,
           -- Growth year by year, and the seasons of the sector with their height in December.
           revenue / 12.0 * months / invoices * borne_out
           * pow(1 + greatest(-0.6, growth), -greatest(0, (as_of - issued) // 365))
           * (1 + swing * cos(2 * pi() * (month(issued) - 12) / 12.0))
           * exp(0.35 * normal(draw(a, 1))) AS net,
           -- The first buyers take most: the power of a uniform draw.
           'B' || lpad(((i * 37 + 101 * floor(buyers * pow(draw(a, 2), lean))::INTEGER) % 997)::VARCHAR, 3, '0')
               AS buyer,
           draw(b, 0) < 0.06 AS returned,
           draw(b, 1) < 0.003 AS twice
    FROM dated
), kinds AS (
    SELECT *, unnest([0, 1, 2]) AS kind FROM sold                               -- itself, what comes back, its double
)
SELECT firm_id,
       lpad((1000000 + (i * 7919 + place * 61 + CASE WHEN kind = 1 THEN 1 ELSE 0 END) % 98999999)::VARCHAR, 8, '0')
           AS number,
       CASE WHEN kind = 1 THEN least(extracted, issued + whole(3, 30, draw(b, 2))) ELSE issued END AS issued,
       CASE WHEN draw(b, 2) < 0.01 THEN NULL ELSE buyer END AS buyer,
       CASE WHEN kind = 1 THEN -money(net * between_(0.05, 0.9, draw(b, 2))) ELSE money(net) END AS net,
       CASE WHEN kind != 1 AND draw(b, 2) > 0.955 THEN least(extracted, issued + whole(1, 25, draw(a, 2))) END
           AS voided
FROM kinds
WHERE kind = 0 OR kind = 1 AND returned OR kind = 2 AND twice
ORDER BY i, place, kind
