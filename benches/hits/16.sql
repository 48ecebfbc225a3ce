-- Groups of a number and a text, almost as many as rows.
SELECT visitor_id, url, count(*) AS rows FROM hits GROUP BY visitor_id, url ORDER BY rows DESC, visitor_id, url LIMIT 10;
