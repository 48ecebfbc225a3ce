-- The average of numbers whose sum no bigint holds.
SELECT avg(visitor_id) AS middle, sum(visitor_id) AS total FROM hits;
