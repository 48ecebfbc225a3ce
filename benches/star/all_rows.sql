-- No filter: every row that has an item and a place.
SELECT count(*) AS rows, sum(s.value) AS sold, sum(i.value) AS listed, sum(p.value) AS rated
FROM sales s JOIN items i ON s.item = i.id JOIN places p ON s.place = p.id;
