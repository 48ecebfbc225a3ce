-- The first and the last.
SELECT min(day) AS first_day, max(day) AS last_day, min(seen) AS first, max(seen) AS last, max(url) AS url FROM hits;
