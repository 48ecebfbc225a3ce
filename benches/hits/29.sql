-- The most frequent of many long texts.
SELECT url, count(*) AS rows FROM hits GROUP BY url ORDER BY rows DESC, url LIMIT 10;
