-- The two largest of each of many groups.
SELECT count(*) AS rows, sum(v3) AS total, sum(v3) FILTER (WHERE id6 % 7 = 3) AS part
FROM (
  SELECT id6, v3, row_number() OVER (PARTITION BY id6 ORDER BY v3 DESC) AS place FROM g
) AS ordered
WHERE place <= 2;
