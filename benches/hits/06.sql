-- How many different texts.
SELECT count(DISTINCT search_phrase) AS phrases, count(DISTINCT url) AS urls FROM hits;
