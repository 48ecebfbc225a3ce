-- One item by its name and value, which leaves few rows of the fact.
SELECT i.id, p.id, s.id, s.value
FROM sales s JOIN items i ON s.item = i.id JOIN places p ON s.place = p.id
WHERE i.name = 'kind 7' AND i.value = 77 AND i.day < 40 AND p.value < 500;
