-- Different visitors of a number and a text, where the text is not empty.
SELECT os_id, phone_model, count(DISTINCT visitor_id) AS visitors
FROM hits
WHERE phone_model <> ''
GROUP BY os_id, phone_model
ORDER BY visitors DESC, phone_model, os_id
LIMIT 10;
