-- What each session was, and then what sessions are.
SELECT is_mobile, count(*) AS sessions, avg(views) AS views, max(views) AS most, sum(bytes) AS bytes, avg(seconds) AS seconds
FROM (
  SELECT session_id, is_mobile, count(*) AS views, sum(bytes_sent) AS bytes, extract(epoch FROM max(seen) - min(seen)) AS seconds
  FROM hits
  GROUP BY session_id, is_mobile
) AS sessions
GROUP BY is_mobile;
