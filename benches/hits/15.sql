-- The most frequent of many numbers.
SELECT visitor_id, count(*) AS rows FROM hits GROUP BY visitor_id ORDER BY rows DESC, visitor_id LIMIT 10;
