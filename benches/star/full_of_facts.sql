-- A FULL JOIN with the fact itself, filtered after it.
SELECT count(*) AS rows, count(s.id) AS sales, count(p.id) AS places, sum(s.value) AS sold, sum(p.value) AS rated
FROM sales s FULL JOIN places p ON s.place = p.id
WHERE s.value IS NULL OR p.value IS NULL OR s.value > p.value;
