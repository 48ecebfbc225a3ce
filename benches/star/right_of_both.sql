-- Two kept sides in turn, and a merged value of columns of the same name.
SELECT coalesce(i.name, s.name) AS name, count(*) AS rows, sum(coalesce(i.value, s.value)) AS total
FROM items i RIGHT JOIN sales s ON s.item = i.id LEFT JOIN places p ON p.id = s.place
WHERE coalesce(i.value, s.value) < 400 AND coalesce(p.day, s.day) < 50
GROUP BY coalesce(i.name, s.name);
