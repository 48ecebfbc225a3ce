-- Of bigint, of all rows.
SELECT sum(whole) AS total FROM numbers;
