-- Groups by the keys of two dimensions in the other order than they were joined; the largest groups.
SELECT p.id, i.value, count(*) AS rows, sum(s.value) AS sold
FROM sales s JOIN items i ON s.item = i.id JOIN places p ON s.place = p.id
WHERE p.value < 100
GROUP BY p.id, i.value
ORDER BY sold DESC, rows, p.id, i.value
LIMIT 50;
