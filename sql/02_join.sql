-- The partner names the same products in its own way: ART-17 is our p00017.
CREATE OR REPLACE VIEW products AS
SELECT 'p' || lpad(replace(article, 'ART-', ''), 5, '0') AS product_id, title, "group" AS category, maker, list_price
FROM partner;

CREATE OR REPLACE VIEW sales AS
SELECT o.*, c.region, c.segment, c.age, p.title, p.category, p.maker
FROM orders o JOIN customers c USING (customer_id) JOIN products p USING (product_id);

SELECT category, count(*) AS lines, sum(quantity) AS pieces, round(sum(quantity * price)::numeric, 2) AS revenue
FROM sales GROUP BY category ORDER BY revenue DESC LIMIT 5;
