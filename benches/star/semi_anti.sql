-- Items of one list and not of another.
SELECT count(*) AS rows, sum(s.value) AS sold
FROM sales s
WHERE s.item IN (SELECT id FROM items WHERE value < 250)
  AND NOT EXISTS (SELECT 1 FROM places p WHERE p.id = s.place AND p.value < 250);
