-- What happened with applications: stages entered and left, papers received, signatures given.
WITH applied AS (
    SELECT *, hashed('application', i, 'a') AS a, hashed('application', i, 'b') AS b FROM latent
), going AS (
    SELECT *,
           as_of - whole(0, 25, draw(hashed('firm', i, 'y'), 2)) AS applied_on,
           whole(1, 5, draw(a, 0)) AS reached,
           -- Branches differ in how fast they are; so do firms in how fast they hand in.
           greatest(1, round(3 + 2 * normal(draw(a, 1)) + (i % 4)))::INTEGER AS pace
    FROM applied
    WHERE draw(a, 2) < 0.45
), stages AS (
    SELECT i, firm_id, region, applied_on, extracted, 'stage' AS kind, number AS place,
           ['review', 'approval', 'signing', 'drawdown', 'repayment'][number] AS item,
           applied_on + ((number - 1) * pace)::INTEGER AS happened, NULL AS by_whom
    FROM (SELECT *, unnest(range(1, reached + 1)) AS number FROM going)
), papers AS (
    SELECT i, firm_id, region, applied_on, extracted, 'paper', 10 + number,
           ['licence', 'owner_identity', 'accounts', 'tax_return', 'bank_statements', 'use_of_funds', 'title_deed',
            'valuation', 'guarantee', 'contract'][number],
           applied_on + whole(0, 12, draw(hashed('paper', i, number), 0)), NULL
    FROM (SELECT *, unnest(range(1, 11)) AS number FROM going)
    WHERE draw(hashed('paper', i, number), 1) < CASE WHEN number <= 6 THEN 0.9 ELSE 0.45 END
), signatures AS (
    SELECT i, firm_id, region, applied_on, extracted, 'signature', 30 + number, ['approval', 'approval', 'signing'][number],
           applied_on + (2 * pace + number)::INTEGER,
           region || '-S' || whole(1, 5, draw(hashed('signature', i, number), 0))
    FROM (SELECT *, unnest(range(1, 4)) AS number FROM going WHERE reached >= 2)
    WHERE draw(hashed('signature', i, number), 1) < 0.8
)
SELECT firm_id, happened, kind, item, by_whom
FROM (SELECT * FROM stages UNION ALL SELECT * FROM papers UNION ALL SELECT * FROM signatures)
WHERE happened <= extracted
ORDER BY i, happened, place
