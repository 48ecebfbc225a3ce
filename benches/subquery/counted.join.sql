SELECT count(*) AS rows, count(found) AS known, sum(found * (id % 7)) AS total
FROM (
  SELECT v.id, coalesce(p.found, 0) AS found
  FROM visits v LEFT JOIN (
    SELECT d.key, d.day, count(*) AS found
    FROM (SELECT DISTINCT key, day FROM visits) AS d JOIN prices p ON p.key = d.key AND p.day < d.day
    GROUP BY d.key, d.day
  ) AS p ON p.key = v.key AND p.day = v.day
) AS answered;
