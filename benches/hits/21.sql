-- Parts of two texts, whatever their letters' case in one.
SELECT search_phrase, min(title) AS title, count(*) AS rows, count(DISTINCT visitor_id) AS visitors
FROM hits
WHERE title ILIKE '%COFFEE%' AND url NOT LIKE '%.example/forum/%' AND search_phrase <> ''
GROUP BY search_phrase
ORDER BY rows DESC, search_phrase
LIMIT 10;
