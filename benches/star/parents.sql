-- A dimension twice: each item and the item that it came from.
SELECT parent.name, count(*) AS rows, sum(s.value) AS sold, sum(parent.value - i.value) AS gained
FROM sales s JOIN items i ON s.item = i.id JOIN items parent ON i.parent = parent.id
WHERE i.value < 500 AND parent.value >= 500
GROUP BY parent.name;
