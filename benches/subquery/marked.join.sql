SELECT marked, count(*) AS rows, sum(value) AS total
FROM (
  SELECT v.value, p.key IS NOT NULL AS marked
  FROM visits v LEFT JOIN (SELECT key, max(day) AS day FROM prices GROUP BY key) AS p ON p.key = v.key AND p.day > v.day
) AS answered
GROUP BY marked;
