-- How many different numbers.
SELECT count(DISTINCT visitor_id) AS visitors FROM hits;
