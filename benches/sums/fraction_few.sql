-- Of double precision, of ten groups.
SELECT few, sum(fraction) AS total FROM numbers GROUP BY few;
