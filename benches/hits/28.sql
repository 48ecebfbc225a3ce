-- Groups of two numbers, almost as many as rows, with conditions counted.
SELECT visitor_id, session_id, count(*) AS rows, sum(CASE WHEN is_reload THEN 1 ELSE 0 END) AS reloads, avg(load_ms) AS waited
FROM hits
GROUP BY visitor_id, session_id
ORDER BY rows DESC, visitor_id, session_id
LIMIT 10;
