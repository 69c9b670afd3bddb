WITH events AS (
    SELECT firm_id, buyer, net, void, issued, issued > $as_of::DATE - INTERVAL 1 YEAR AS recent
    FROM invoices
    WHERE issued <= $as_of::DATE
),
firms AS (
    SELECT
        firm_id,
        sum(net) FILTER (NOT void AND recent) AS sales,
        sum(net) FILTER (NOT void AND NOT recent AND issued > $as_of::DATE - INTERVAL 2 YEAR) AS sales_before,
        count(*) FILTER (NOT void AND recent) AS number_sold,
        avg(net) FILTER (NOT void AND recent) AS mean_sale,
        max(net) FILTER (NOT void AND recent) AS largest_sale,
        min(net) FILTER (NOT void AND recent) AS smallest_sale,
        sum(net) FILTER (NOT void AND issued > $as_of::DATE - INTERVAL 3 MONTH) AS quarter,
        sum(net) FILTER (
            NOT void AND issued > $as_of::DATE - INTERVAL 6 MONTH AND issued <= $as_of::DATE - INTERVAL 3 MONTH
        ) AS quarter_before,
        sum(net) FILTER (NOT void AND recent AND net < 0) AS returned,
        max(issued) FILTER (NOT void AND net > 0) AS last_sale,
        min(issued) FILTER (NOT void) AS first_sale,
        count(*) FILTER (void AND recent) AS number_voided
    FROM events
    GROUP BY firm_id
),
buyers AS (
    SELECT firm_id, sum(net) AS bought FROM events WHERE NOT void AND recent GROUP BY firm_id, buyer
),
largest AS (
    SELECT firm_id, max(bought) AS most FROM buyers GROUP BY firm_id
),
features AS (
    SELECT
        c.firm_id,
        coalesce(sales, 0) AS sales,
        coalesce(sales_before, 0) AS sales_before,
        CASE WHEN coalesce(sales_before, 0) <> 0 THEN coalesce(sales, 0) / sales_before - 1 END AS growth,
        coalesce(number_sold, 0) AS number_sold,
        mean_sale, largest_sale, smallest_sale,
        coalesce(quarter, 0) AS quarter,
        coalesce(quarter_before, 0) AS quarter_before,
        coalesce(returned, 0) AS returned,
        $as_of::DATE - last_sale AS days_since_last_sale,
        ($as_of::DATE - first_sale) / 30 AS months_trading,
        coalesce(number_voided, 0) AS number_voided,
        CASE WHEN number_voided + number_sold <> 0 THEN number_voided / (number_voided + number_sold) END
            AS share_voided,
        CASE WHEN coalesce(sales, 0) <> 0 THEN most / sales END AS share_of_largest_buyer
    FROM customers c LEFT JOIN firms USING (firm_id) LEFT JOIN largest USING (firm_id)
)
SELECT
    *,
    CASE
        WHEN days_since_last_sale IS NULL THEN NULL
        WHEN days_since_last_sale > 90 THEN 'D'
        WHEN growth < -0.2 OR share_of_largest_buyer > 0.5 THEN 'C'
        WHEN share_voided > 0.1 THEN 'B'
        ELSE 'A'
    END AS tier
FROM features
