-- Of bigint, of ten groups.
SELECT few, sum(whole) AS total FROM numbers GROUP BY few;
