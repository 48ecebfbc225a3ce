-- With a table of a few rows; the answer has all columns, and each of them is looked at.
SELECT count(*) AS rows, sum(id1) AS id1, sum(id2) AS id2, sum(id3) AS id3, max(x4) AS x4, max(x5) AS x5, max(x6) AS x6,
  max(r4) AS r4, sum(v1) AS v1, sum(v2) AS v2
FROM (
  SELECT x.id1, x.id2, x.id3, x.id4 AS x4, x.id5 AS x5, x.id6 AS x6, small.id4 AS r4, x.v1, small.v2
  FROM x JOIN small ON x.id1 = small.id1
) AS found;
