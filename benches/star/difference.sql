-- A comparison of columns of the same name with a scalar subquery about a third.
SELECT count(*) AS rows, sum(s.value - i.value) AS surplus
FROM sales s JOIN items i ON s.item = i.id
WHERE s.value - i.value > (SELECT avg(value) FROM places WHERE day < 25);
