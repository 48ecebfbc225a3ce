//! The shop as the files that an organisation would have: CSV, Parquet by month, newline-delimited JSON, a JSON array.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{Field, Schema},
};
use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime};
use datafusion::parquet::arrow::ArrowWriter;
use serde_json::json;

use super::shop::{FIRST_MONTH, MONTHS, Order, Shop};

type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// Writes the shop's files into `folder`, in place of what a former run left there.
pub(super) fn write(shop: &Shop, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    customers(shop, &folder.join("customers.csv"))?;
    orders(shop, &folder.join("orders"))?;
    visits(shop, &folder.join("clicks.ndjson"))?;
    catalogue(shop, &folder.join("partner.json"))
}

fn customers(shop: &Shop, path: &Path) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "customer_id,region,segment,age,newsletter")?;
    for customer in &shop.customers {
        let age = customer.age.map(|age| age.to_string()).unwrap_or_default();
        let (id, region, segment) = (&customer.id, customer.region, customer.segment);
        writeln!(file, "{id},{region},{segment},{age},{}", customer.newsletter)?;
    }
    Ok(file.flush()?)
}

fn orders(shop: &Shop, folder: &Path) -> Result<()> {
    for month in 0..MONTHS {
        let (start, name) = month_start(month)?;
        let folder = folder.join(format!("month={name}"));
        fs::create_dir_all(&folder)?;
        let lines: Vec<&Order> = shop.orders.iter().filter(|order| order.month == month).collect();
        let buyers = lines.iter().map(|line| &shop.customers[line.customer].id);
        let products = lines.iter().map(|line| &shop.products[line.product].id);
        let price = |line: &&Order| shop.products[line.product].price_cents as f64 / 100.0;
        let at = |line: &&Order| (start + Duration::seconds(line.second)).and_utc().timestamp_micros();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("order_id", Arc::new(Int64Array::from_iter_values(lines.iter().map(|line| line.number)))),
            ("customer_id", Arc::new(StringArray::from_iter_values(buyers))),
            ("product_id", Arc::new(StringArray::from_iter_values(products))),
            ("quantity", Arc::new(Int32Array::from_iter_values(lines.iter().map(|line| line.quantity)))),
            ("price", Arc::new(Float64Array::from_iter_values(lines.iter().map(price)))),
            ("ordered_at", Arc::new(TimestampMicrosecondArray::from_iter_values(lines.iter().map(at)))),
            ("rating", Arc::new(lines.iter().map(|line| line.rating).collect::<Float64Array>())),
        ];
        let fields: Vec<Field> =
            columns.iter().map(|(name, values)| Field::new(*name, values.data_type().clone(), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let columns = columns.into_iter().map(|(_, values)| values).collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
        let mut writer = ArrowWriter::try_new(File::create(folder.join("orders.parquet"))?, schema, None)?;
        writer.write(&batch)?;
        writer.close()?;
    }
    Ok(())
}

fn visits(shop: &Shop, path: &Path) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for visit in &shop.visits {
        let (start, _) = month_start(visit.month)?;
        let line = json!({
            "at": (start + Duration::seconds(visit.second)).format("%Y-%m-%dT%H:%M:%S").to_string(),
            "customer_id": shop.customers[visit.customer].id,
            "product_id": shop.products[visit.product].id,
            "device": visit.device,
            "pages": visit.pages,
            "seconds_on_page": (visit.seconds_on_page * 10.0).round() / 10.0,
            "bought": visit.bought,
        });
        writeln!(file, "{line}")?;
    }
    Ok(file.flush()?)
}

fn catalogue(shop: &Shop, path: &Path) -> Result<()> {
    let articles: Vec<_> = shop
        .products
        .iter()
        .map(|product| {
            json!({
                "article": product.article,
                "title": product.title,
                "group": product.category,
                "maker": product.maker,
                "list_price": product.price_cents as f64 / 100.0,
                "tags": product.tags,
            })
        })
        .collect();
    let mut file = BufWriter::new(File::create(path)?);
    serde_json::to_writer_pretty(&mut file, &articles)?;
    writeln!(file)?;
    Ok(file.flush()?)
}

/// The first moment of a month of the shop, and its name as in `2025-01`.
fn month_start(month: u32) -> Result<(NaiveDateTime, String)> {
    let (year, first) = FIRST_MONTH;
    let months = first - 1 + month;
    let date = NaiveDate::from_ymd_opt(year + (months / 12) as i32, months % 12 + 1, 1)
        .ok_or_else(|| format!("month {month} of the shop is no month"))?;
    Ok((date.and_time(NaiveTime::MIN), date.format("%Y-%m").to_string()))
}
