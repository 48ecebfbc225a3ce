-- The views of each minute of two days.
SELECT date_trunc('minute', seen) AS minute, count(*) AS views
FROM hits
WHERE seen >= TIMESTAMP '2025-03-14' AND seen < TIMESTAMP '2025-03-16' AND is_mobile
GROUP BY date_trunc('minute', seen)
ORDER BY minute;
