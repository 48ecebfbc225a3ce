-- A filter on each side, on columns of the same name.
SELECT count(*) AS rows, sum(s.value) AS sold, sum(i.value) AS listed, max(p.value) AS largest
FROM sales s JOIN items i ON s.item = i.id JOIN places p ON s.place = p.id
WHERE s.value < 900 AND i.value < 300 AND p.value >= 500;
