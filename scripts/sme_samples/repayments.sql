-- Instalments: principal and interest due, and the day they were paid. A firm that stops paying pays nothing more;
-- what will be paid after the extract was taken is not known.
WITH instalments AS (
    SELECT *, unnest(range(1, term + 1)) AS instalment FROM loan
), scheduled AS (
    SELECT *,
           hashed('instalment', loan_id, instalment) AS a,
           (signed + to_months(instalment))::DATE AS due,
           rate / 12 AS monthly,
           -- Owed before this instalment, by the form of repayment.
           CASE repayment
               WHEN 'equal_principal' THEN amount * (term - instalment + 1) / term
               WHEN 'equal_instalments'
                   THEN amount * (1 - pow(1 + rate / 12, instalment - 1 - term)) / (1 - pow(1 + rate / 12, -term))
               ELSE amount
           END::DOUBLE AS owed
    FROM instalments
    WHERE NOT (repayment = 'bullet' AND instalment < term)                     -- all of it is due at the end
), due_ AS (
    SELECT *,
           CASE repayment
               WHEN 'equal_principal' THEN amount::DOUBLE / term
               WHEN 'equal_instalments' THEN amount * monthly / (1 - pow(1 + monthly, -term)) - owed * monthly
               ELSE CASE WHEN instalment = term THEN amount::DOUBLE ELSE 0 END
           END AS principal,
           owed * monthly * CASE WHEN repayment = 'bullet' THEN term ELSE 1 END AS interest,
           CASE
               WHEN draw(a, 0) < CASE WHEN health > 0 THEN 0.82 ELSE 0.7 END THEN 0
               WHEN draw(a, 1) < 0.4 THEN -whole(1, 10, draw(a, 2))
               WHEN health > -0.8 THEN whole(1, 5, draw(a, 2))
               ELSE whole(2, 40, draw(a, 2))
           END AS late
    FROM scheduled
)
SELECT loan_id, firm_id, signed AS booked, instalment, due,
       CASE WHEN instalment < stops AND due + late <= extracted THEN due + late END AS paid,
       money(principal) AS principal, money(interest) AS interest
FROM due_
ORDER BY i, number, instalment
