-- With a table of as many rows.
SELECT count(*) AS rows, sum(x1) AS x1, sum(x2) AS x2, sum(id3) AS id3, max(x4) AS x4, max(x5) AS x5, max(x6) AS x6,
  sum(r1) AS r1, sum(r2) AS r2, max(r4) AS r4, max(r5) AS r5, max(r6) AS r6, sum(v1) AS v1, sum(v2) AS v2
FROM (
  SELECT x.id1 AS x1, x.id2 AS x2, x.id3, x.id4 AS x4, x.id5 AS x5, x.id6 AS x6, big.id1 AS r1, big.id2 AS r2,
    big.id4 AS r4, big.id5 AS r5, big.id6 AS r6, x.v1, big.v2
  FROM x JOIN big ON x.id3 = big.id3
) AS found;
