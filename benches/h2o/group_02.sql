-- A sum for each of 10,000 pairs of texts.
SELECT id1, id2, sum(v1) AS v1 FROM g GROUP BY id1, id2;
