-- Of double precision, of 100,000 groups; what is made of those takes little beside them.
SELECT count(*) AS groups, min(total) AS least, max(total) AS most, sum(total) FILTER (WHERE many % 7 = 3) AS part
FROM (SELECT many, sum(fraction) AS total FROM numbers GROUP BY many) AS grouped;
