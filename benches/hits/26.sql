-- Hosts, by a regular expression.
SELECT regexp_replace(referrer, '^https?://(www\.|m\.)?([^/]+)/.*$', '\2') AS host, avg(length(referrer)) AS letters,
  count(*) AS rows, min(referrer) AS referrer
FROM hits
WHERE referrer <> ''
GROUP BY regexp_replace(referrer, '^https?://(www\.|m\.)?([^/]+)/.*$', '\2')
ORDER BY rows DESC, host
LIMIT 25;
