-- Items without sales and sales without items, both kept.
SELECT i.id IS NULL AS unknown, s.id IS NULL AS unsold, count(*) AS rows, sum(i.value) AS listed, sum(s.value) AS sold
FROM (SELECT item AS id, sum(value) AS value FROM sales WHERE day < 200 GROUP BY item) AS s
  FULL JOIN items i ON s.id = i.id
GROUP BY i.id IS NULL, s.id IS NULL;
