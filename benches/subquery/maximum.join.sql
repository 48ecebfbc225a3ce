SELECT count(*) AS rows, count(found) AS known, sum(found * (id % 7)) AS total
FROM (
  SELECT v.id, p.found
  FROM visits v LEFT JOIN (SELECT key, max(value) AS found FROM prices GROUP BY key) AS p ON p.key = v.key
) AS answered;
