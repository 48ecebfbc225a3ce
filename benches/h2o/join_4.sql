-- The same table by a text.
SELECT count(*) AS rows, sum(x1) AS x1, sum(x2) AS x2, sum(id3) AS id3, max(x4) AS x4, max(id5) AS id5, max(x6) AS x6,
  sum(r1) AS r1, sum(r2) AS r2, max(r4) AS r4, sum(v1) AS v1, sum(v2) AS v2
FROM (
  SELECT x.id1 AS x1, x.id2 AS x2, x.id3, x.id4 AS x4, x.id5, x.id6 AS x6, medium.id1 AS r1, medium.id2 AS r2,
    medium.id4 AS r4, x.v1, medium.v2
  FROM x JOIN medium ON x.id5 = medium.id5
) AS found;
