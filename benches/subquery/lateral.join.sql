SELECT count(*) AS rows, sum(best.value * (v.id % 7)) AS total, sum(best.id % 1000) AS ids
FROM visits v JOIN (
  SELECT id, key, value, row_number() OVER (PARTITION BY key ORDER BY value DESC, id) AS place FROM prices
) AS best ON best.key = v.key AND best.place <= 2;
