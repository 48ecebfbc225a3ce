-- Texts of the same name on each side, one of them found in few row groups.
SELECT i.name, p.name, count(*) AS rows, sum(s.value) AS sold
FROM sales s JOIN items i ON s.item = i.id JOIN places p ON s.place = p.id
WHERE s.name <> 'kind 3' AND i.name LIKE 'kind 1%' AND p.name IN ('kind 2', 'kind 5')
GROUP BY i.name, p.name;
