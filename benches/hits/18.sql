-- The rows of one visitor, who may be anywhere.
SELECT seen, url, referrer FROM hits WHERE visitor_id = 3887032090825423396 ORDER BY seen, url, referrer;
