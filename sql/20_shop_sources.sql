-- Three sources of one shop, each in its own format, and what is in them.
-- Run from the project's root: fusewire -f sql/20_shop_sources.sql

CREATE EXTERNAL TABLE invoices STORED AS PARQUET LOCATION '../shared/data/shop/invoices.parquet';
CREATE EXTERNAL TABLE products STORED AS JSON LOCATION '../shared/data/shop/products.ndjson';
CREATE EXTERNAL TABLE customers STORED AS CSV LOCATION '../shared/data/shop/customers.csv';

-- How much there is.
SELECT
  (SELECT count(*) FROM invoices) AS invoice_lines,
  (SELECT count(DISTINCT invoice_no) FROM invoices) AS invoices,
  (SELECT count(*) FROM products) AS products,
  (SELECT count(*) FROM customers) AS customers,
  (SELECT count(*) FROM invoices WHERE customer_id IS NULL) AS lines_without_customer;

-- What does not find its partner in the other sources.
SELECT
  (SELECT count(*) FROM invoices i LEFT JOIN products p ON p.stock_code = i.stock_code WHERE p.stock_code IS NULL)
    AS lines_without_product,
  (SELECT count(*) FROM invoices i LEFT JOIN customers c ON c.customer_id = i.customer_id
   WHERE i.customer_id IS NOT NULL AND c.customer_id IS NULL) AS lines_of_unknown_customers,
  (SELECT count(*) FROM products p WHERE NOT EXISTS (SELECT 1 FROM invoices i WHERE i.stock_code = p.stock_code))
    AS products_never_sold;
