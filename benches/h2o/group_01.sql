-- A sum for each of 100 texts.
SELECT id1, sum(v1) AS v1 FROM g GROUP BY id1;
