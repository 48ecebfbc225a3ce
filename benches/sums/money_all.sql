-- Of numeric(15, 2), of all rows.
SELECT sum(money) AS total FROM numbers;
