-- Who buys what: an embedding of customers and products from the joined rows. Each customer's newest purchases are held
-- out, and the metrics stand beside those of recommending what sells best.
SELECT split, slice, metric, round(value::numeric, 3) AS value, round(baseline::numeric, 3) AS baseline, rows
FROM train('taste',
  (SELECT customer_id, product_id, ordered_at, region, segment, category, maker FROM sales),
  user => 'customer_id', item => 'product_id', time => 'ordered_at')
WHERE slice = 'all';

SELECT r.customer_id, r.rank, p.title, round(r.score::numeric, 3) AS score
FROM recommend('taste', (SELECT 'c000001' AS customer_id UNION ALL SELECT 'c000002'), k => 3) r
JOIN products p USING (product_id)
ORDER BY r.customer_id, r.rank;
