-- How many stars a customer will give: most purchases have none, and those rows are left out.
SELECT split, slice, metric, round(value::numeric, 3) AS value, round(baseline::numeric, 3) AS baseline, rows
FROM train('stars',
  (SELECT customer_id, product_id, segment, category, maker, price, rating FROM sales),
  target => 'rating', user => 'customer_id', item => 'product_id')
WHERE metric = 'rmse';

SELECT category, count(*) AS unrated, round(avg(prediction)::numeric, 2) AS expected_stars
FROM predict('stars', (SELECT * FROM sales WHERE rating IS NULL))
GROUP BY category ORDER BY expected_stars DESC LIMIT 5;
