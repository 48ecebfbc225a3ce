SELECT count(*) AS rows, sum(v.value) AS total
FROM visits v JOIN (SELECT key, max(day) AS day FROM prices GROUP BY key) AS p ON p.key = v.key AND p.day > v.day;
