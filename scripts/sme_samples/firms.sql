-- The customers, a row each; the inputs of the policies. Gaps are where nobody asked, or the firm did not say.
WITH told AS (
    SELECT *,
           (ebit_margin * revenue)::DOUBLE AS ebit,
           assets * debt_ratio AS debts
    FROM latent
), rows AS (
    SELECT
        i, firm_id,
        CASE WHEN i % 23 < 2 THEN 'G' || lpad((i // 23)::VARCHAR, 4, '0') END AS group_id,
        '***' || word || '有限公司' AS firm_name,
        region,
        region || '-' || whole(1, 4, draw(g, 1)) AS branch,
        region || '-M' || lpad(whole(1, 12, draw(g, 2))::VARCHAR, 2, '0') AS manager,
        industry,
        (as_of - (365.25 * years)::INTEGER) AS registered_on,
        ['operating', 'suspended', 'abnormal', 'deregistering'][
            band([0.955 + 0.01 * greatest(-2.0, least(2.0, health)), 0.978, 0.994, 1.0], draw(h, 0))] AS operating_state,
        employees,
        revenue AS annual_revenue,
        CASE WHEN years >= 2 THEN to_unit(revenue / (1 + greatest(-0.6, growth)), 10000) END AS revenue_before,
        CASE WHEN NOT no_balance THEN round(ebit, -3)::BIGINT END AS ebit,
        CASE WHEN draw(h, 1) >= 0.07
             THEN round(debts * 0.5 * between_(0.1, 0.4, draw(h, 2)), -3)::BIGINT END AS debt_service,
        CASE WHEN NOT no_balance THEN assets END AS total_assets,
        CASE WHEN NOT no_balance THEN to_unit(assets * between_(0.35, 0.75, draw(k, 0)), 10000) END AS current_assets,
        CASE WHEN NOT no_balance AND draw(k, 1) >= 0.03 THEN to_unit(debts, 10000) END AS total_liabilities,
        CASE WHEN NOT no_balance
             THEN to_unit(assets * least(0.9, debt_ratio * between_(0.5, 0.95, draw(k, 2))), 10000)
        END AS current_liabilities,
        -- The tax authority's grade: A, B, M for firms in their first year, C, D.
        CASE WHEN draw(l, 0) < 0.05 THEN NULL WHEN years < 1 THEN 'M'
             ELSE ['A', 'B', 'C', 'D'][band([0.45 + 0.12 * greatest(-2.5, least(2.5, health)), 0.86, 0.96, 1.0],
                                            draw(l, 1))]
        END AS tax_grade,
        CASE WHEN draw(l, 2) < 0.08 THEN NULL
             WHEN health < -1.6 THEN whole(5, 120, draw(m, 0))
             WHEN health < -0.8 AND draw(m, 0) < 0.3 THEN whole(1, 30, draw(m, 1)) ELSE 0
        END AS days_overdue_elsewhere,
        CASE WHEN draw(l, 2) >= 0.08
             THEN floor(-1.6 * ln(1 - draw(m, 2)) * CASE WHEN health < -0.5 THEN 2 ELSE 1 END)::INTEGER
        END AS credit_enquiries,
        CASE WHEN draw(n, 0) < 0.06 - 0.02 * greatest(-2.0, least(2.0, health)) THEN whole(1, 4, draw(n, 1)) ELSE 0
        END AS open_lawsuits,
        draw(n, 2) < CASE WHEN health < -1.5 THEN 0.15 ELSE 0.004 END AS under_enforcement,
        CASE WHEN draw(o, 0) >= 0.06
             THEN least(850, greatest(350, round(640 + 55 * (0.5 * health + 0.85 * normal(draw(o, 1))))))::INTEGER
        END AS owner_score,
        round(greatest(0, years * between_(0.8, 1.6, draw(o, 2)) + 1), 1) AS owner_years,
        ['female', 'male', NULL][band([0.28, 0.88, 1.0], draw(p, 0))] AS owner_gender,
        CASE WHEN draw(p, 1) < 0.05 THEN NULL WHEN draw(p, 2) < CASE WHEN health < -1 THEN 0.12 ELSE 0.01 END THEN 1
             ELSE 0 END AS related_defaults,
        -- Soft information: what a visitor made of the management, with the file and the person behind it.
        CASE WHEN visited THEN ['strong', 'fair', 'weak'][
            band([0.30 + 0.15 * greatest(-1.5, least(1.5, health)), 0.90, 1.0], draw(q, 0))] END AS management,
        CASE WHEN visited AND draw(q, 1) >= 0.05 THEN 'V' || lpad(i::VARCHAR, 8, '0') END AS management_evidence,
        CASE WHEN visited THEN region || '-A' || whole(1, 6, draw(q, 2)) END AS management_assessor,
        -- Of the scoring service; it fails now and then.
        CASE WHEN draw(r, 0) >= 0.05
             THEN round(1 / (1 + exp(3.9 + 0.9 * health + 0.35 * normal(draw(r, 1)))), 4) END AS external_pd,
        CASE WHEN loans > 0 THEN (as_of - (365.25 * least(years, 9 * draw(r, 2) + 0.5))::INTEGER) END AS customer_since,
        CASE WHEN loans > 0 OR draw(s, 0) < 0.3 THEN to_unit(revenue * 0.12 * draw(s, 1) * draw(s, 1), 1000) ELSE 0
        END AS average_deposits,
        CASE WHEN loans > 0 THEN whole(1, 6, draw(s, 2)) ELSE 0 END AS products_held,
        to_unit(revenue * between_(0.02, 0.12, draw(t, 0)), 10000) AS requested_amount,
        pick([6, 12, 12, 12, 12, 12, 24, 36], draw(t, 1)) AS requested_term,
        ['stock', 'cash_gap', 'orders', 'equipment', 'premises', NULL][
            band([0.32, 0.55, 0.72, 0.9, 0.96, 1.0], draw(t, 2))] AS purpose,
        ['equal_instalments', 'equal_principal', 'interest_first', 'bullet', NULL][
            band([0.4, 0.55, 0.8, 0.9, 1.0], draw(v, 0))] AS repayment_wish,
        whole(2, 40, draw(v, 1)) AS needed_within_days,
        collateral_kind,
        CASE WHEN collateral_kind != 'none'
             THEN to_unit(revenue * between_(0.05, 0.4, draw(w, 0)), 10000) END AS collateral_value,
        draw(w, 1) < 0.12 AS guarantee_company,
        CASE WHEN draw(w, 2) < 0.07 THEN whole(2, 7, draw(x, 0)) ELSE 0 END AS joint_guarantors,
        CASE WHEN industry IN ('industry', 'wholesale', 'transport', 'agriculture') AND draw(x, 1) < 0.18
             THEN pick(['C01', 'C02', 'C03', 'C04', 'C05'], draw(x, 2)) END AS core_buyer,
        ['phone', 'app', 'text_message', 'mail'][band([0.35, 0.75, 0.95, 1.0], draw(y, 0))] AS channel,
        draw(y, 1) < 0.08 AS opted_out,
        (as_of - whole(0, 25, draw(y, 2))) AS applied_on
    FROM (
        SELECT *,
               hashed('firm', i, 'g') AS g, hashed('firm', i, 'h') AS h, hashed('firm', i, 'k') AS k,
               hashed('firm', i, 'l') AS l, hashed('firm', i, 'm') AS m, hashed('firm', i, 'n') AS n,
               hashed('firm', i, 'o') AS o, hashed('firm', i, 'p') AS p, hashed('firm', i, 'q') AS q,
               hashed('firm', i, 'r') AS r, hashed('firm', i, 's') AS s, hashed('firm', i, 't') AS t,
               hashed('firm', i, 'v') AS v, hashed('firm', i, 'w') AS w, hashed('firm', i, 'x') AS x,
               hashed('firm', i, 'y') AS y, hashed('firm', i, 'z') AS z,
               draw(g, 0) < 0.09 AS no_balance,
               draw(z, 0) < 0.7 AS visited,
               ['none', 'premises', 'equipment', 'receivables', 'deposit'][
                   band([0.5, 0.72, 0.83, 0.97, 1.0], draw(z, 1))] AS collateral_kind
        FROM told
    )
), spoilt AS (
    -- A row in some four hundred has a wart of the kinds that real extracts have.
    SELECT * REPLACE (
        CASE WHEN i % 401 = 17 THEN 'TJ' ELSE region END AS region,                        -- not among the regions
        CASE WHEN i % 401 = 58 THEN -annual_revenue ELSE annual_revenue END AS annual_revenue,
        CASE WHEN i % 401 = 83 THEN NULL ELSE industry END AS industry,                    -- a required value
        CASE WHEN i % 401 = 126 THEN 0 ELSE requested_amount END AS requested_amount,      -- nothing is asked for
        CASE WHEN i % 401 = 149 THEN DATE '1801-01-01' ELSE registered_on END AS registered_on,
        CASE WHEN i % 401 = 188 THEN 0 ELSE total_assets END AS total_assets               -- 0 for not known
    )
    FROM rows
)
SELECT * EXCLUDE (i)
FROM (SELECT * FROM spoilt UNION ALL SELECT * FROM spoilt WHERE i % 499 = 67)               -- exported twice
ORDER BY i
