-- The newest price of the day: an inequality with ORDER BY and LIMIT 1.
SELECT count(*) AS rows, count(found) AS known, sum(found * (id % 7)) AS total
FROM (
  SELECT v.id, (
    SELECT p.value FROM prices p WHERE p.key = v.key AND p.day <= v.day ORDER BY p.day DESC, p.id DESC LIMIT 1
  ) AS found
  FROM visits v
) AS answered;
