-- Many sums of one column.
SELECT sum(load_ms), sum(load_ms + 1), sum(load_ms + 2), sum(load_ms + 3), sum(load_ms + 4), sum(load_ms + 5), sum(load_ms + 6),
  sum(load_ms + 7), sum(load_ms + 8), sum(load_ms + 9), sum(load_ms + 10), sum(load_ms + 11), sum(load_ms + 12),
  sum(load_ms + 13), sum(load_ms + 14), sum(load_ms + 15), sum(load_ms + 16), sum(load_ms + 17), sum(load_ms + 18)
FROM hits;
