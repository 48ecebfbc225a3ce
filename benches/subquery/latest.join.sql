SELECT count(*) AS rows, count(found) AS known, sum(found * (id % 7)) AS total
FROM (
  SELECT v.id, p.value AS found
  FROM visits v LEFT JOIN (
    SELECT key, day, value
    FROM (
      SELECT d.key, d.day, p.value, row_number() OVER (PARTITION BY d.key, d.day ORDER BY p.day DESC, p.id DESC) AS place
      FROM (SELECT DISTINCT key, day FROM visits) AS d JOIN prices p ON p.key = d.key AND p.day <= d.day
    ) AS placed
    WHERE place = 1
  ) AS p ON p.key = v.key AND p.day = v.day
) AS answered;
