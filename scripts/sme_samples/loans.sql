SELECT loan_id, firm_id, product, signed, maturity, amount, rate, repayment FROM loan ORDER BY i, number
