-- Parquet, JSON and CSV joined: where the money comes from, and for what.
-- Run from the project's root: fusewire -f sql/21_shop_sales.sql

CREATE VIEW sales AS
SELECT i.invoice_no, i.stock_code, p.description, i.customer_id, c.country, i.invoice_date, i.quantity,
       i.quantity * i.unit_price AS amount
FROM '../shared/data/shop/invoices.parquet' i
JOIN '../shared/data/shop/products.ndjson' p ON p.stock_code = i.stock_code
JOIN '../shared/data/shop/customers.csv' c ON c.customer_id = i.customer_id;

SELECT count(*) AS lines, sum(quantity) AS pieces, round(sum(amount)::numeric, 2) AS amount,
       count(DISTINCT customer_id) AS customers, count(DISTINCT stock_code) AS products
FROM sales;

-- The countries that buy most.
SELECT country, count(*) AS lines, count(DISTINCT customer_id) AS customers, round(sum(amount)::numeric, 2) AS amount
FROM sales
GROUP BY country
ORDER BY amount DESC, country
LIMIT 10;

-- The products that bring most, returns taken off.
SELECT stock_code, description, sum(quantity) AS pieces, round(sum(amount)::numeric, 2) AS amount
FROM sales
GROUP BY stock_code, description
ORDER BY amount DESC, stock_code
LIMIT 10;

-- Month by month.
SELECT CAST(date_trunc('month', invoice_date) AS DATE) AS month, count(DISTINCT invoice_no) AS invoices,
       round(sum(amount)::numeric, 2) AS amount
FROM sales
GROUP BY 1
ORDER BY 1;
