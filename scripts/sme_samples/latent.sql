-- One row a firm: what its tables must agree on. `health` is what everything else leans on: positive is sound.
WITH numbered AS (
    SELECT i,
           hashed('firm', i, 'a') AS a, hashed('firm', i, 'b') AS b, hashed('firm', i, 'c') AS c,
           hashed('firm', i, 'd') AS d, hashed('firm', i, 'e') AS e, hashed('firm', i, 'f') AS f
    FROM range(1, getvariable('firms') + 1) t(i)
), drawn AS (
    SELECT *,
           band([0.22, 0.37, 0.57, 0.67, 0.74, 0.82, 0.88, 0.93, 0.97, 1.0], draw(a, 0)) AS sector,
           -- A third of the health is the sector's and the region's, the rest the firm's own.
           normal(draw(a, 1)) AS own_health,
           band([0.3, 0.5, 0.75, 0.9, 1.0], draw(a, 2)) AS place
    FROM numbered
), placed AS (
    SELECT *,
           ['wholesale', 'retail', 'industry', 'construction', 'transport', 'software_it', 'catering', 'agriculture',
            'leasing_business_services', 'other'][sector] AS industry,
           ['商贸', '超市', '机械制造', '建筑工程', '物流', '软件', '餐饮', '农业', '商务服务', '文化'][sector] AS word,
           [900, 450, 1200, 1500, 600, 500, 250, 300, 400, 300][sector] * 10000.0 AS median_revenue,
           [90, 40, 50, 60, 35, 40, 20, 30, 35, 25][sector] * 10000.0 AS revenue_a_head,
           [0.10, 0.15, 0.08, 0.18, 0.08, 0.05, 0.20, 0.45, 0.05, 0.12][sector] AS swing,      -- of the seasons
           [0.09, 0.12, 0.16, 0.10, 0.12, 0.28, 0.15, 0.12, 0.22, 0.16][sector] AS margin,     -- before interest, tax
           own_health + [0.0, -0.05, 0.1, -0.35, 0.0, 0.3, -0.25, -0.1, 0.15, 0.0][sector] AS health,
           ['SH', 'BJ', 'GD', 'ZJ', 'JS'][place] AS region
    FROM drawn
), sized AS (
    SELECT *,
           'F' || lpad(i::VARCHAR, 7, '0') AS firm_id,
           -- Revenue is skewed, and older firms are larger.
           least(40.0, -8.0 * ln(1 - draw(b, 0))) AS years,
           0.06 + 0.10 * health + 0.12 * normal(draw(b, 2)) AS growth,
           to_unit(median_revenue * exp(0.85 * normal(draw(b, 1)) + 0.02 * (years - 8)), 10000) AS revenue
    FROM placed
)
SELECT * EXCLUDE (a, b, c, d, e, f, place, own_health, sector),
       greatest(1, round(revenue / revenue_a_head * exp(0.45 * normal(draw(c, 0)))))::INTEGER AS employees,
       to_unit(revenue * 0.7 * exp(0.5 * normal(draw(c, 1))), 10000) AS assets,
       least(1.25, greatest(0.03, 0.48 - 0.07 * health + 0.16 * normal(draw(c, 2)))) AS debt_ratio,
       margin + 0.035 * health + 0.03 * normal(draw(d, 0)) AS ebit_margin,
       -- How many loans run: none for a third, never for the youngest.
       CASE WHEN years < 0.8 THEN 0 ELSE [0, 1, 2, 3][band([0.34, 0.82, 0.95, 1.0], draw(d, 1))] END AS loans,
       CASE WHEN health < -1.35 THEN whole(1, 7, draw(d, 2)) ELSE 999 END AS stops,            -- paying, from here on
       whole(2, 9, draw(e, 0)) AS buyers,
       between_(0.6, 2.2, draw(e, 1)) AS lean,                                                 -- on the first buyers
       CASE WHEN draw(e, 2) < 0.04 THEN 0 ELSE whole(18, 36, draw(f, 0)) END AS invoices,
       CASE WHEN draw(f, 1) < 0.05 THEN 0.35 ELSE between_(0.85, 1.1, draw(f, 2)) END AS borne_out,
       DATE '2026-07-01' AS as_of,                                                             -- decisions are of
       DATE '2026-07-15' AS extracted                                                          -- a fortnight later
FROM sized
ORDER BY i
