-- Sums of decimals, of which most are NULL, for each day and language.
SELECT day, language, count(order_value) AS orders, sum(order_value) AS sold, max(order_value) AS most
FROM hits
GROUP BY day, language
ORDER BY day, language;
