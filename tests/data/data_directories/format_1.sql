-- What the data directory beside this file holds, by a version that wrote one manifest a commit (format 1), before checkpoints
-- and logs. Made with a binary of commit 5c54ba7, over prices.csv with the lines "item_id,price", "i1,2.50" and "i2,3.75":
--   cd /tmp/shop && fusewire --data-dir format_1 -f format_1.sql && rm format_1/lock
CREATE SCHEMA sales;
CREATE TABLE ratings (user_id text NOT NULL, item_id text, rating numeric(4,1), at timestamptz);
INSERT INTO ratings SELECT 'u' || (value % 7), 'i' || (value * 5 % 11), CAST(1 + value % 5 AS numeric(4,1)), TIMESTAMP '2024-01-01 00:00:00Z' FROM generate_series(1, 60) AS series(value);
INSERT INTO ratings VALUES ('u1', 'i1', 2.5, NULL);
CREATE TABLE sales.empty (a int, b double precision);
CREATE VIEW best AS SELECT user_id, max(rating) AS most FROM ratings GROUP BY user_id;
COMMENT ON VIEW best IS 'what each liked most';
CREATE EXTERNAL TABLE prices (item_id text, price double precision) STORED AS CSV LOCATION 'prices.csv';
CREATE SECRET shop (TYPE s3, KEY_ID 'key', SECRET 'hidden', REGION 'eu-north-1', SCOPE 's3://shop/');
SELECT version FROM train('taste', (SELECT user_id, item_id, rating FROM ratings), target => 'rating', user => 'user_id', item => 'item_id', factors => 2, epochs => 2);
SELECT version FROM train('old', (SELECT user_id, item_id, rating FROM ratings), target => 'rating', user => 'user_id', item => 'item_id', factors => 2, epochs => 2);
DROP MODEL old;
