-- All columns of the first of few rows.
SELECT * FROM hits WHERE url LIKE '%bicycle-harbour%' ORDER BY seen, id LIMIT 10;
