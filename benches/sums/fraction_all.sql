-- Of double precision, of all rows.
SELECT sum(fraction) AS total FROM numbers;
