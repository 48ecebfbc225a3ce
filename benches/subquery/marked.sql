-- EXISTS with an inequality, where it is a value and not a condition.
SELECT marked, count(*) AS rows, sum(value) AS total
FROM (
  SELECT v.value, EXISTS (SELECT 1 FROM prices p WHERE p.key = v.key AND p.day > v.day) AS marked
  FROM visits v
) AS answered
GROUP BY marked;
