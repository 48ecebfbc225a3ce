-- Sums and averages of small numbers.
SELECT sum(load_ms) AS waited, count(*) AS rows, avg(screen_width) AS width, avg(scrolled) AS scrolled FROM hits;
