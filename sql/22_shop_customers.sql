-- What each customer is worth, and which products go together: windows, CTEs and self joins over three formats.
-- Run from the project's root: fusewire -f sql/22_shop_customers.sql

CREATE EXTERNAL TABLE invoices LOCATION '../shared/data/shop/invoices.parquet';
CREATE EXTERNAL TABLE products LOCATION '../shared/data/shop/products.ndjson';
CREATE EXTERNAL TABLE customers LOCATION '../shared/data/shop/customers.csv';

-- The best customer of each of the five greatest countries.
WITH spent AS (
  SELECT c.country, c.customer_id, round(sum(i.quantity * i.unit_price)::numeric, 2) AS amount
  FROM invoices i JOIN customers c ON c.customer_id = i.customer_id
  GROUP BY c.country, c.customer_id
), ranked AS (
  SELECT country, customer_id, amount,
         row_number() OVER (PARTITION BY country ORDER BY amount DESC, customer_id) AS place,
         count(*) OVER (PARTITION BY country) AS customers
  FROM spent
)
SELECT country, customers, customer_id, amount
FROM ranked
WHERE place = 1
ORDER BY customers DESC, country
LIMIT 5;

-- How often customers come back.
WITH visits AS (
  SELECT customer_id, count(DISTINCT invoice_no) AS invoices
  FROM invoices
  WHERE customer_id IS NOT NULL AND quantity > 0
  GROUP BY customer_id
)
SELECT CASE WHEN invoices = 1 THEN '1' WHEN invoices <= 5 THEN '2 to 5' ELSE 'more' END AS visits,
       count(*) AS customers
FROM visits
GROUP BY 1
ORDER BY customers DESC;

-- Products that share an invoice most often.
WITH lines AS (
  SELECT DISTINCT invoice_no, stock_code FROM invoices WHERE customer_id IS NOT NULL AND quantity > 0
), popular AS (
  SELECT stock_code FROM lines GROUP BY stock_code ORDER BY count(*) DESC, stock_code LIMIT 50
), kept AS (
  SELECT l.invoice_no, l.stock_code FROM lines l JOIN popular p ON p.stock_code = l.stock_code
)
SELECT a.stock_code AS first, b.stock_code AS second, count(*) AS invoices
FROM kept a JOIN kept b ON a.invoice_no = b.invoice_no AND a.stock_code < b.stock_code
GROUP BY a.stock_code, b.stock_code
ORDER BY invoices DESC, first, second
LIMIT 10;
