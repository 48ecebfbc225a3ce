-- The first rows by a column that all sides have.
SELECT s.id, s.value, i.value, p.value
FROM sales s JOIN items i ON s.item = i.id JOIN places p ON s.place = p.id
WHERE i.value > 900
ORDER BY p.value DESC, i.value DESC, s.value, s.id
LIMIT 20;
