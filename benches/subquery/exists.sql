-- EXISTS with an inequality.
SELECT count(*) AS rows, sum(v.value) AS total
FROM visits v
WHERE EXISTS (SELECT 1 FROM prices p WHERE p.key = v.key AND p.day > v.day);
