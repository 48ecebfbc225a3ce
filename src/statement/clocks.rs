//! The instants of a statement's rows: those of the session's clocks, whatever zone a file or a table has them in.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef},
    compute::{CastOptions, cast_with_options},
    datatypes::{DataType, Field, FieldRef, Schema, SchemaRef},
    error::ArrowError,
};

/// The schema with its instants in the zone of the session.
pub(super) fn in_zone(schema: &Schema, zone: &str) -> SchemaRef {
    let zone: Arc<str> = zone.into();
    let fields: Vec<FieldRef> = schema.fields().iter().map(|field| field_in(field, &zone)).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// Columns in the types of a schema that differs from theirs in zones alone.
pub(super) fn shown(columns: Vec<ArrayRef>, schema: &Schema) -> Result<Vec<ArrayRef>, ArrowError> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let shown = |(column, field): (ArrayRef, &FieldRef)| match column.data_type() == field.data_type() {
        true => Ok(column),
        false => cast_with_options(&column, field.data_type(), &strict),
    };
    columns.into_iter().zip(schema.fields()).map(shown).collect()
}

fn field_in(field: &FieldRef, zone: &Arc<str>) -> FieldRef {
    let data_type = type_in(field.data_type(), zone);
    match data_type == *field.data_type() {
        true => Arc::clone(field),
        false => Arc::new(Field::clone(field).with_data_type(data_type)),
    }
}

fn type_in(data_type: &DataType, zone: &Arc<str>) -> DataType {
    let is_utc = |zone: &str| matches!(zone, "UTC" | "+00:00");
    match data_type {
        DataType::Timestamp(unit, Some(own)) if !(is_utc(own) && is_utc(zone)) => {
            DataType::Timestamp(*unit, Some(Arc::clone(zone)))
        }
        DataType::List(item) => DataType::List(field_in(item, zone)),
        DataType::LargeList(item) => DataType::LargeList(field_in(item, zone)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| field_in(field, zone)).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{
        array::{AsArray, TimestampMicrosecondArray},
        datatypes::{TimeUnit, TimestampMicrosecondType},
    };

    use super::*;

    #[test]
    fn instants_keep_their_time_and_get_the_sessions_zone() {
        let instant = |zone: &str| DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into()));
        let local = DataType::Timestamp(TimeUnit::Microsecond, None);
        let types =
            [instant("+00:00"), local.clone(), DataType::new_list(instant("UTC"), true), instant("Europe/Berlin")];
        let fields: Vec<Field> = types.into_iter().map(|data_type| Field::new("c", data_type, true)).collect();
        let schema = Schema::new(fields);
        let types = |zone: &str| {
            let schema = in_zone(&schema, zone);
            schema.fields().iter().map(|field| field.data_type().clone()).collect::<Vec<_>>()
        };
        let of_tokyo = instant("Asia/Tokyo");
        let expected = [of_tokyo.clone(), local.clone(), DataType::new_list(of_tokyo.clone(), true), of_tokyo.clone()];
        assert_eq!(types("Asia/Tokyo"), expected);
        let expected = [instant("+00:00"), local, DataType::new_list(instant("UTC"), true), instant("UTC")];
        assert_eq!(types("UTC"), expected);

        let column: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![Some(5), None]).with_timezone("+00:00"));
        let wanted = Schema::new(vec![Field::new("c", of_tokyo.clone(), true)]);
        let columns = shown(vec![column], &wanted).unwrap();
        assert_eq!(columns[0].data_type(), &of_tokyo);
        assert_eq!(columns[0].as_primitive::<TimestampMicrosecondType>().value(0), 5);
        assert_eq!(columns[0].null_count(), 1);
    }
}
