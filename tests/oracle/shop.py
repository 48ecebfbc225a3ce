"""What an independent engine says about the shop's data: the answers that sql/2*_shop_*.sql must give.

Needs Python 3.9 or later and DuckDB (pip install duckdb==2.0.0). Prints the result of each query of a script as CSV,
one after the other, each with its header and followed by an empty line.

    python tests/oracle/shop.py ../shared/data/shop 21_shop_sales
"""

import csv
import pathlib
import sys

import duckdb

# Written for DuckDB on their own, by other means than the scripts where there are any: what both get wrong together
# would not be noticed.
QUERIES = {
    "20_shop_sources": [
        """
        SELECT count(*) AS invoice_lines, count(DISTINCT invoice_no) AS invoices,
               (SELECT count(*) FROM products) AS products, (SELECT count(*) FROM customers) AS customers,
               count(*) - count(customer_id) AS lines_without_customer
        FROM invoices
        """,
        """
        SELECT (SELECT count(*) FROM invoices WHERE stock_code NOT IN (SELECT stock_code FROM products))
                 AS lines_without_product,
               (SELECT count(*) FROM invoices WHERE customer_id NOT IN (SELECT customer_id FROM customers))
                 AS lines_of_unknown_customers,
               (SELECT count(*) FROM (SELECT stock_code FROM products EXCEPT SELECT stock_code FROM invoices))
                 AS products_never_sold
        """,
    ],
    "21_shop_sales": [
        """
        SELECT count(*) AS lines, sum(quantity) AS pieces, round(sum(amount), 2) AS amount,
               count(DISTINCT customer_id) AS customers, count(DISTINCT stock_code) AS products
        FROM sales
        """,
        """
        SELECT country, count(*) AS lines, count(DISTINCT customer_id) AS customers, round(sum(amount), 2) AS amount
        FROM sales GROUP BY ALL ORDER BY amount DESC, country LIMIT 10
        """,
        """
        SELECT stock_code, any_value(description) AS description, sum(quantity) AS pieces, round(sum(amount), 2) AS amount
        FROM sales GROUP BY stock_code ORDER BY amount DESC, stock_code LIMIT 10
        """,
        """
        SELECT make_date(year(invoice_date), month(invoice_date), 1) AS month, count(DISTINCT invoice_no) AS invoices,
               round(sum(amount), 2) AS amount
        FROM sales GROUP BY 1 ORDER BY 1
        """,
    ],
    "22_shop_customers": [
        """
        SELECT country, count(*) AS customers, arg_max(customer_id, amount) AS customer_id, max(amount) AS amount
        FROM (SELECT country, customer_id, round(sum(quantity * unit_price), 2) AS amount
              FROM invoices JOIN customers USING (customer_id) GROUP BY ALL)
        GROUP BY country ORDER BY customers DESC, country LIMIT 5
        """,
        """
        SELECT visits, count(*) AS customers
        FROM (SELECT CASE WHEN count(DISTINCT invoice_no) > 5 THEN 'more' WHEN count(DISTINCT invoice_no) > 1 THEN '2 to 5'
                     ELSE '1' END AS visits
              FROM invoices WHERE customer_id IS NOT NULL AND quantity > 0 GROUP BY customer_id)
        GROUP BY visits ORDER BY customers DESC
        """,
        """
        WITH baskets AS (
          SELECT invoice_no, list_distinct(list(stock_code)) AS codes
          FROM invoices WHERE customer_id IS NOT NULL AND quantity > 0 GROUP BY invoice_no),
        popular AS (
          SELECT code FROM (SELECT unnest(codes) AS code FROM baskets) GROUP BY code ORDER BY count(*) DESC, code LIMIT 50),
        bought AS (SELECT invoice_no, unnest(codes) AS code FROM baskets)
        SELECT a.code AS first, b.code AS second, count(*) AS invoices
        FROM bought a JOIN bought b USING (invoice_no)
        WHERE a.code < b.code AND a.code IN (FROM popular) AND b.code IN (FROM popular)
        GROUP BY ALL ORDER BY invoices DESC, first, second LIMIT 10
        """,
    ],
}


def main() -> None:
    folder, script = pathlib.Path(sys.argv[1]), sys.argv[2]
    engine = duckdb.connect()
    for name, reader in (
        ("invoices", f"read_parquet('{folder / 'invoices.parquet'}')"),
        ("products", f"read_json('{folder / 'products.ndjson'}', columns = {{stock_code: 'VARCHAR', description: 'VARCHAR'}})"),
        ("customers", f"read_csv('{folder / 'customers.csv'}')"),
    ):
        engine.execute(f"CREATE VIEW {name} AS SELECT * FROM {reader}")
    engine.execute(
        "CREATE VIEW sales AS SELECT *, quantity * unit_price AS amount "
        "FROM invoices JOIN products USING (stock_code) JOIN customers USING (customer_id)"
    )
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for query in QUERIES[script]:
        result = engine.execute(query)
        writer.writerow(column[0] for column in result.description)
        writer.writerows(result.fetchall())
        print()


if __name__ == "__main__":
    main()
