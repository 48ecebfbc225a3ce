-- Few rows by a number.
SELECT count(*) AS rows FROM hits WHERE campaign_id <> 0;
