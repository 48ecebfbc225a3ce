-- The range of two columns for each of many texts.
SELECT count(*) AS groups, max(id3) AS last, sum(apart) AS apart, min(apart) AS least
FROM (SELECT id3, max(v1) - min(v2) AS apart FROM g GROUP BY id3) AS grouped;
