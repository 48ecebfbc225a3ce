-- A count under an inequality: 0, not NULL, where there is nothing to count.
SELECT count(*) AS rows, count(found) AS known, sum(found * (id % 7)) AS total
FROM (
  SELECT v.id, (SELECT count(*) FROM prices p WHERE p.key = v.key AND p.day < v.day) AS found
  FROM visits v
) AS answered;
