-- Where they came from, by a condition in a key.
SELECT os_id, browser_id, CASE WHEN engine_id = 0 THEN referrer ELSE '' END AS source, url, count(*) AS views
FROM hits
WHERE site_id = 11 AND day BETWEEN DATE '2025-03-01' AND DATE '2025-03-31'
GROUP BY os_id, browser_id, CASE WHEN engine_id = 0 THEN referrer ELSE '' END, url
ORDER BY views DESC, os_id, browser_id, source, url
LIMIT 10;
