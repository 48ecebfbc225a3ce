-- The fact is the kept side; rows without an item.
SELECT count(*) AS rows, count(s.item) AS named, sum(s.value) AS sold, sum(s.id % 1000) AS ids
FROM items i RIGHT JOIN sales s ON s.item = i.id
WHERE i.id IS NULL AND s.value < 800;
