-- A chain: the place where an item is made, while the sale has a place too.
SELECT p.name, count(*) AS rows, sum(s.value) AS sold, sum(p.value) AS rated
FROM sales s JOIN items i ON s.item = i.id JOIN places p ON i.place = p.id
WHERE p.value < 100
GROUP BY p.name;
