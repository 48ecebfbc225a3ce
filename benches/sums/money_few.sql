-- Of numeric(15, 2), of ten groups.
SELECT few, sum(money) AS total FROM numbers GROUP BY few;
