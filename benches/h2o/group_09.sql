-- How well one column follows another in each of 10,000 groups; NULL where a column is the same in all rows.
SELECT count(*) AS groups, count(fit) AS known, sum(fit) AS total, max(fit) AS best, sum(fit) FILTER (WHERE id4 % 7 = 3) AS part
FROM (SELECT id2, id4, power(nullif(corr(v1, v2), 'NaN'), 2) AS fit FROM g GROUP BY id2, id4) AS grouped;
