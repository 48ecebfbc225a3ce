-- The same with a part of a time.
SELECT visitor_id, extract(minute FROM seen) AS minute, search_phrase, count(*) AS rows
FROM hits
GROUP BY visitor_id, extract(minute FROM seen), search_phrase
ORDER BY rows DESC, visitor_id, minute, search_phrase
LIMIT 10;
