-- The pages of one site in a week, and not the first of them.
SELECT url, count(*) AS views, count(DISTINCT session_id) AS sessions
FROM hits
WHERE site_id = 48 AND day >= DATE '2025-03-10' AND day <= DATE '2025-03-16' AND NOT is_reload
GROUP BY url
ORDER BY views DESC, url
LIMIT 10 OFFSET 100;
