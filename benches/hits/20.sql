-- A part of a text, and groups of another.
SELECT search_phrase, min(url) AS url, count(*) AS rows
FROM hits
WHERE url LIKE '%violin%' AND search_phrase <> ''
GROUP BY search_phrase
ORDER BY rows DESC, search_phrase
LIMIT 10;
