-- All rows.
SELECT count(*) AS rows FROM hits;
