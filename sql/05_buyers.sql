-- Will a visit end in a purchase? Clicks, customers and the catalogue, joined.
CREATE OR REPLACE VIEW visits AS
SELECT k.customer_id, k.product_id, k.device, k.pages, k.seconds_on_page, c.segment, c.age, p.category, p.list_price,
       k.bought
FROM clicks k JOIN customers c USING (customer_id) JOIN products p USING (product_id);

SELECT split, slice, metric, round(value::numeric, 3) AS value, round(baseline::numeric, 3) AS baseline, rows
FROM train('buyers', visits, target => 'bought', user => 'customer_id', item => 'product_id')
WHERE slice = 'all';

SELECT metric, round(value::numeric, 3) AS value, round(baseline::numeric, 3) AS baseline
FROM evaluate('buyers') WHERE split = 'test' AND slice = 'all' ORDER BY metric;

SELECT customer_id, product_id, device, round(probability::numeric, 3) AS probability, prediction
FROM predict('buyers', visits) ORDER BY probability DESC, customer_id LIMIT 5;
