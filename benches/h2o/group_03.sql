-- A sum and an average for each of many texts, a hundredth of the rows; what is made of the groups stands for writing them.
SELECT count(*) AS groups, max(id3) AS last, sum(v1) AS v1, min(v1) AS least, sum(v3) AS v3, max(v3) AS most
FROM (SELECT id3, sum(v1) AS v1, avg(v3) AS v3 FROM g GROUP BY id3) AS grouped;
