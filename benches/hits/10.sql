-- The same beside other aggregates.
SELECT region_id, sum(bytes_sent) AS bytes, count(*) AS rows, avg(load_ms) AS waited, count(DISTINCT visitor_id) AS visitors
FROM hits
GROUP BY region_id
ORDER BY rows DESC, region_id
LIMIT 10;
