-- A few groups of few rows.
SELECT campaign_id, count(*) AS rows, sum(order_value) AS sold
FROM hits
WHERE campaign_id <> 0
GROUP BY campaign_id
ORDER BY rows DESC, campaign_id;
