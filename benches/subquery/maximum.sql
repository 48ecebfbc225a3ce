-- A scalar subquery with an aggregate.
SELECT count(*) AS rows, count(found) AS known, sum(found * (id % 7)) AS total
FROM (SELECT v.id, (SELECT max(p.value) FROM prices p WHERE p.key = v.key) AS found FROM visits v) AS answered;
