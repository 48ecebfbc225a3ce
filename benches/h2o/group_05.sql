-- Sums for each of many numbers.
SELECT count(*) AS groups, sum(id6) AS ids, sum(v1) AS v1, max(v2) AS most, sum(v3) FILTER (WHERE id6 % 7 = 3) AS part
FROM (SELECT id6, sum(v1) AS v1, sum(v2) AS v2, sum(v3) AS v3 FROM g GROUP BY id6) AS grouped;
