-- The two highest prices of each visit's key.
SELECT count(*) AS rows, sum(best.value * (v.id % 7)) AS total, sum(best.id % 1000) AS ids
FROM visits v CROSS JOIN LATERAL (
  SELECT p.id, p.value FROM prices p WHERE p.key = v.key ORDER BY p.value DESC, p.id LIMIT 2
) AS best;
