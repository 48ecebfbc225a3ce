-- The median and the standard deviation of 10,000 groups.
SELECT id4, id5, percentile_cont(0.5) WITHIN GROUP (ORDER BY v3) AS median, stddev(v3) AS deviation
FROM g
GROUP BY id4, id5;
