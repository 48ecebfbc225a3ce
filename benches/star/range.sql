-- A range of a column by which the fact is ordered and the dimensions are not.
SELECT p.name, count(*) AS rows, sum(s.value) AS sold, min(i.day) AS first_day
FROM sales s JOIN items i ON s.item = i.id JOIN places p ON s.place = p.id
WHERE s.day BETWEEN 100 AND 130 AND i.day > 40 AND p.day < 20
GROUP BY p.name;
