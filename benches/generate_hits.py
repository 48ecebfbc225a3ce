"""The log of a web site that `hits` asks: one wide table whose ids, pages and phrases are as uneven as those of a real one.

Everything comes from numpy's numbers, the texts too: DuckDB only puts words together, so that no version of its hash matters.
"""

import generate

# 250,000 rows a group, in the order of time, so that a day is found in few of them.
GROUP_ROWS = 250_000
DAYS = 31
ODD = 0x9E3779B97F4A7C15

COLUMNS = """
    id, TIMESTAMP '2025-03-01' + to_seconds(second) AS seen, DATE '2025-03-01' + (second // 86400)::INTEGER AS day,
    (site * 37 + 11)::INTEGER AS site_id, visitor AS visitor_id, session AS session_id,
    'https://' || host || '/' || section || '/' || slug || query AS url,
    CASE WHEN phrase >= 0 THEN 'https://find' || engine || '.example/search?q=' || replace(phrase_text, ' ', '+')
      WHEN source = 0 THEN ''
      WHEN source = 1 THEN 'https://' || host || '/' || section || '/'
      ELSE 'http://www.' || word(from_site + 5) || from_site || '.example/links/' || from_site % 17 END AS referrer,
    upper(slug[1]) || replace(slug[2:], '-', ' ') || ' | ' || section || ' of ' || word(site) AS title,
    phrase_text AS search_phrase, CASE WHEN phrase >= 0 THEN engine ELSE 0 END::SMALLINT AS engine_id,
    (region * 3 + 2)::INTEGER AS region_id, ['en', 'de', 'fr', 'es', 'pt-br', 'ja', 'pl'][1 + region % 7] AS language,
    os::SMALLINT AS os_id, browser::SMALLINT AS browser_id, 90 + version || '.' || version * 7 % 10 AS browser_version,
    [1920, 1366, 390, 1536, 412, 2560, 768, 0][1 + screen]::SMALLINT AS screen_width,
    [1080, 768, 844, 864, 915, 1440, 1024, 0][1 + screen]::SMALLINT AS screen_height,
    phone > 0 AS is_mobile, reload = 0 AS is_reload,
    CASE WHEN phone > 0 THEN ['Birch', 'Alder', 'Rowan', 'Hazel'][1 + phone % 4] || ' ' || phone ELSE '' END AS phone_model,
    CASE WHEN campaign < 40 THEN campaign * 5 + 1 ELSE 0 END::INTEGER AS campaign_id,
    load_ms::INTEGER AS load_ms, bytes AS bytes_sent, scrolled,
    CASE WHEN cents >= 0 THEN (cents / 100)::DECIMAL(10, 2) END AS order_value
"""

# Words for what numbers name: hosts, sections and slugs of pages, and phrases of one to three words.
WORDS = """['garden', 'winter', 'coffee', 'bicycle', 'harbour', 'violin', 'cheap', 'repair', 'river', 'camera', 'cotton', 'recipe',
    'northern', 'quick', 'lamp', 'bread', 'mountain', 'ticket', 'second', 'piano', 'blue', 'market', 'letter']"""
SECTIONS = "['news', 'shop', 'shop', 'forum', 'cart', 'help', 'photos', 'account']"
MACROS = f"""
    CREATE MACRO word(n) AS ({WORDS})[1 + n % 23];
"""
TEXTS = f"""
    *, CASE WHEN site % 3 = 0 THEN 'm.' ELSE 'www.' END || word(site) || site || '.example' AS host,
    {SECTIONS}[1 + page % 8] AS section, word(page) || '-' || word(page // 23 + 7) || '-' || page AS slug,
    CASE WHEN reload < 6 THEN '?from=' || word(campaign) || '&step=' || reload ELSE '' END AS query,
    CASE WHEN phrase < 0 THEN '' WHEN phrase % 4 = 0 THEN word(phrase // 4) || ' ' || phrase // 92
      WHEN phrase % 4 = 1 THEN word(phrase) || ' ' || word(phrase // 23) || ' ' || phrase // 529
      ELSE word(phrase // 3) || ' ' || word(phrase // 69) || ' ' || word(phrase // 1587) || ' ' || phrase % 29 END AS phrase_text
"""


def hits(folder, rows):
    """Pages that were looked at in a month of 5 weekends: few sites, pages, visitors and phrases have most of the rows."""

    def write(path):
        import duckdb

        connection = duckdb.connect()
        connection.execute(MACROS)
        connection.register("arrays", arrays(rows))
        connection.execute(
            f"COPY (SELECT {COLUMNS} FROM (SELECT {TEXTS} FROM arrays)) TO '{path / 'hits.parquet'}' "
            f"(FORMAT parquet, ROW_GROUP_SIZE {GROUP_ROWS})"
        )

    return {"hits": generate.kept(folder, f"hits-{rows}", write) / "hits.parquet"}


def arrays(rows):
    import numpy

    random = numpy.random.default_rng(generate.SEED)

    def uneven(count, power):
        """Numbers below the count of which the small ones are the most frequent: 0 has count ** (-1 / power) of the rows."""
        return (random.random(rows) ** power * count).astype(numpy.int64)

    def scattered(number):
        """Numbers of 63 bits, a different one for each."""
        return ((number.astype(numpy.uint64) + numpy.uint64(1)) * numpy.uint64(ODD) >> numpy.uint64(1)).astype(numpy.int64)

    weekend = numpy.arange(DAYS) % 7 < 2
    hours = 1.1 + numpy.cos((numpy.arange(24) - 15) * numpy.pi / 12)
    day = random.choice(DAYS, rows, p=(shares := numpy.where(weekend, 0.6, 1.0)) / shares.sum())
    hour = random.choice(24, rows, p=hours / hours.sum())
    second = numpy.sort(day * 86_400 + hour * 3_600 + random.integers(0, 3_600, rows))
    visitor = uneven(max(rows // 5, 10), 3)
    site = uneven(3_000, 4)
    phone = numpy.where(random.random(rows) < 0.3, 1 + uneven(120, 2), 0)
    return {
        "id": numpy.arange(rows),
        "second": second,
        "visitor": scattered(visitor),
        # A visitor's rows of two hours.
        "session": scattered(visitor * 1_000 + second // 7_200),
        "site": site,
        "page": uneven(numpy.maximum(40_000 // (site + 1), 5), 3),
        "from_site": uneven(9_000, 2),
        "source": random.integers(0, 4, rows),
        "phrase": numpy.where(random.random(rows) < 0.15, uneven(60_000, 3), -1),
        "engine": 1 + uneven(12, 4),
        "region": uneven(900, 3),
        "os": numpy.where(phone > 0, 1 + phone % 2, 3 + uneven(6, 3)),
        "browser": uneven(30, 3),
        "version": uneven(50, 2),
        "screen": uneven(8, 1.5),
        "reload": random.integers(0, 20, rows),
        "phone": phone,
        "campaign": random.integers(0, 1_000, rows),
        "load_ms": numpy.minimum(random.lognormal(6, 0.9, rows), 60_000).astype(numpy.int64),
        "bytes": numpy.minimum(random.lognormal(10, 1.5, rows), 2e9).astype(numpy.int64),
        "scrolled": numpy.round(random.random(rows), 4),
        "cents": numpy.where(random.random(rows) < 0.02, random.lognormal(8, 1, rows).astype(numpy.int64), -1),
    }
