-- Groups of what is computed from one column.
SELECT region_id, region_id - 1 AS one, region_id - 2 AS two, region_id - 3 AS three, count(*) AS rows
FROM hits
GROUP BY region_id, region_id - 1, region_id - 2, region_id - 3
ORDER BY rows DESC, region_id
LIMIT 10;
