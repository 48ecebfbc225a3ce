-- A part of a text, anywhere in it.
SELECT count(*) AS rows FROM hits WHERE url LIKE '%violin-piano%';
