-- The dimensions are joined before the fact, and both have an id.
SELECT count(*) AS rows, sum(s.value) AS sold, sum(p.value) AS rated
FROM places p JOIN items i ON i.place = p.id JOIN sales s ON s.item = i.id
WHERE i.value BETWEEN 100 AND 120;
