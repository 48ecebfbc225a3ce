-- Lengths of texts, and a condition on groups.
SELECT site_id, avg(length(url)) AS letters, count(*) AS rows
FROM hits
WHERE url <> ''
GROUP BY site_id
HAVING count(*) > {hundredth}
ORDER BY letters DESC, site_id
LIMIT 25;
