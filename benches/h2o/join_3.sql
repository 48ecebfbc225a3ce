-- The same, with the rows that find none.
SELECT count(*) AS rows, sum(x1) AS x1, sum(id2) AS id2, sum(id3) AS id3, max(x4) AS x4, max(x5) AS x5, max(x6) AS x6,
  sum(r1) AS r1, max(r4) AS r4, max(r5) AS r5, sum(v1) AS v1, sum(v2) AS v2, count(v2) AS found
FROM (
  SELECT x.id1 AS x1, x.id2, x.id3, x.id4 AS x4, x.id5 AS x5, x.id6 AS x6, medium.id1 AS r1, medium.id4 AS r4,
    medium.id5 AS r5, x.v1, medium.v2
  FROM x LEFT JOIN medium ON x.id2 = medium.id2
) AS found;
