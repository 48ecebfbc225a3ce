-- Places of the sale and of the item, each with a filter of its own.
SELECT count(*) AS rows, sum(s.value) AS sold, sum(sold.value - made.value) AS rated
FROM sales s JOIN items i ON s.item = i.id JOIN places sold ON s.place = sold.id JOIN places made ON i.place = made.id
WHERE sold.value < 300 AND made.value >= 700;
