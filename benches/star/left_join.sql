-- Kept rows of the left side: a filter in ON, another on the side that may be missing.
SELECT i.id IS NULL AS lonely, p.id IS NULL AS nowhere, count(*) AS rows, sum(s.value) AS sold, sum(i.value) AS listed
FROM sales s
  LEFT JOIN items i ON s.item = i.id AND i.value < 200
  LEFT JOIN places p ON s.place = p.id AND p.day > 10
WHERE s.value >= 250 AND (i.value IS NULL OR i.value < 150)
GROUP BY i.id IS NULL, p.id IS NULL;
