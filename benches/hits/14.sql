-- Groups of a number and a text.
SELECT engine_id, search_phrase, count(*) AS rows
FROM hits
WHERE search_phrase <> ''
GROUP BY engine_id, search_phrase
ORDER BY rows DESC, search_phrase, engine_id
LIMIT 10;
