-- Loans running or lately repaid. What is owed on each is what its schedule, in repayments.sql, leaves.
WITH numbered AS (
    SELECT *, unnest(range(1, loans + 1)) AS number FROM latent
), drawn AS (
    SELECT *, hashed('loan', i, number) AS a, hashed('loan', i, number || 'b') AS b FROM numbered
), begun AS (
    SELECT *,
           pick([6, 12, 12, 12, 24, 36], draw(a, 0)) AS term,
           as_of - whole(-8, least(430, greatest(0, (365 * years)::INTEGER - 60)), draw(a, 1)) AS signed,
           money(to_unit(revenue * between_(0.03, 0.16, draw(a, 2)), 10000)) AS amount
    FROM drawn
)
SELECT
    firm_id || '-' || number AS loan_id, i, number, health, stops, term,
    firm_id,
    pick(['quick_credit', 'tax_credit', 'premises_mortgage', 'equipment_mortgage', 'guaranteed', 'joint_group',
          'receivables', 'order_finance'], draw(b, 0)) AS product,
    signed,
    (signed + to_months(term))::DATE AS maturity,
    amount,
    round(0.0345 + 0.012 - 0.006 * greatest(-2.0, least(2.0, health)) + 0.01 * draw(b, 1), 4) AS rate,
    pick(['equal_instalments', 'equal_principal', 'interest_first', 'bullet'], draw(b, 2)) AS repayment,
    as_of, extracted
FROM begun
ORDER BY i, number
