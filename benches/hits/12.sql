-- The most frequent texts of many.
SELECT search_phrase, count(*) AS rows
FROM hits
WHERE search_phrase <> ''
GROUP BY search_phrase
ORDER BY rows DESC, search_phrase
LIMIT 10;
