-- Four formats become one database: CSV, Parquet by month, newline-delimited JSON and a JSON array.
-- `fusewire demo` has generated the files; run it first, and run this where it was run.
CREATE OR REPLACE EXTERNAL TABLE customers STORED AS CSV LOCATION 'fusewire-demo/shop/customers.csv';
CREATE OR REPLACE EXTERNAL TABLE orders STORED AS PARQUET LOCATION 'fusewire-demo/shop/orders/';
CREATE OR REPLACE EXTERNAL TABLE clicks LOCATION 'fusewire-demo/shop/clicks.ndjson';
CREATE OR REPLACE EXTERNAL TABLE partner LOCATION 'fusewire-demo/shop/partner.json';

SELECT name, kind, format, columns FROM fusewire.sources WHERE format IS NOT NULL ORDER BY name;
