-- As many groups as there are rows, or almost, by six columns.
SELECT count(*) AS groups, max(id1) AS id1, min(id2) AS id2, max(id3) AS id3, sum(id4) AS id4, sum(id5) AS id5, sum(id6) AS id6,
  sum(v3) AS v3, sum(found) AS found, max(found) AS most
FROM (
  SELECT id1, id2, id3, id4, id5, id6, sum(v3) AS v3, count(*) AS found FROM g GROUP BY id1, id2, id3, id4, id5, id6
) AS grouped;
