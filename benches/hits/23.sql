-- The first by a time, of which the first row groups suffice.
SELECT search_phrase, seen FROM hits WHERE search_phrase <> '' ORDER BY seen, search_phrase LIMIT 10;
