//! How values are written that Parquet has no type for: intervals as their sixteen bytes.
//!
//! An array of intervals and one of sixteen bytes each are laid out alike, so that nothing is copied. What reads the files
//! gets bytes, and [`ReadIntervals`] makes intervals of them above the scan; conditions on such columns stay above it too.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayData, ArrayRef, RecordBatch, make_array},
    datatypes::{DataType, Field, FieldRef, Fields, IntervalUnit, Schema, SchemaRef},
    error::ArrowError,
};
use datafusion::{
    catalog::Session,
    common::{Result, utils::take_function_args},
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
    physical_expr::{PhysicalExpr, ScalarFunctionExpr, expressions::Column},
    physical_plan::{ExecutionPlan, projection::ProjectionExec},
};

/// The bytes of an interval: months, days and nanoseconds.
const INTERVAL_BYTES: i32 = 16;

/// The columns of a table as its files have them.
pub(super) fn stored(schema: &Schema) -> SchemaRef {
    let fields: Fields = schema.fields().iter().map(stored_field).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// Whether a column is stored as another type than it has.
pub(super) fn is_converted(data_type: &DataType) -> bool {
    stored_type(data_type) != *data_type
}

fn stored_field(field: &FieldRef) -> FieldRef {
    match is_converted(field.data_type()) {
        true => Arc::new(field.as_ref().clone().with_data_type(stored_type(field.data_type()))),
        false => Arc::clone(field),
    }
}

fn stored_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Interval(IntervalUnit::MonthDayNano) => DataType::FixedSizeBinary(INTERVAL_BYTES),
        DataType::List(item) => DataType::List(stored_field(item)),
        DataType::LargeList(item) => DataType::LargeList(stored_field(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(stored_field(item), *length),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(stored_field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(stored_field(entries), *sorted),
        other => other.clone(),
    }
}

/// The rows as files of these columns have them.
pub(super) fn as_stored(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if batch.schema_ref() == schema {
        return Ok(batch);
    }
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| with_type(column, field.data_type())).collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns)
}

/// The same values as those of a type that is laid out alike.
fn with_type(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    match array.data_type() == data_type {
        true => Ok(Arc::clone(array)),
        false => Ok(make_array(data_with_type(array.to_data(), data_type)?)),
    }
}

fn data_with_type(data: ArrayData, wanted: &DataType) -> Result<ArrayData, ArrowError> {
    if data.data_type() == wanted {
        return Ok(data);
    }
    let types: Vec<&DataType> = match wanted {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => vec![item.data_type()],
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        _ => Vec::new(),
    };
    let within = data.child_data().iter().zip(types);
    let within = within.map(|(child, wanted)| data_with_type(child.clone(), wanted)).collect::<Result<Vec<_>, _>>()?;
    data.into_builder().data_type(wanted.clone()).child_data(within).align_buffers(true).build()
}

/// The rows of a scan with the types of the table's columns.
pub(super) fn as_declared(
    session: &dyn Session,
    scan: Arc<dyn ExecutionPlan>,
    table: &Schema,
) -> Result<Arc<dyn ExecutionPlan>> {
    let found = scan.schema();
    let wanted = |name: &str| table.field_with_name(name).ok().map(|field| field.data_type());
    if !found.fields().iter().any(|field| wanted(field.name()).is_some_and(is_converted)) {
        return Ok(scan);
    }
    let mut columns: Vec<(Arc<dyn PhysicalExpr>, String)> = Vec::with_capacity(found.fields().len());
    for (at, field) in found.fields().iter().enumerate() {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), at));
        let expression = match wanted(field.name()).filter(|data_type| is_converted(data_type)) {
            None => column,
            Some(data_type) => {
                let read = Arc::new(ScalarUDF::from(ReadIntervals::of(data_type.clone())));
                let options = Arc::clone(session.config().options());
                Arc::new(ScalarFunctionExpr::try_new(read, vec![column], &found, options)?)
            }
        };
        columns.push((expression, field.name().clone()));
    }
    Ok(Arc::new(ProjectionExec::try_new(columns, scan)?))
}

/// Makes values of a type of those that stand for them in files.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ReadIntervals {
    data_type: DataType,
    signature: Signature,
}

impl ReadIntervals {
    fn of(data_type: DataType) -> Self {
        Self { data_type, signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for ReadIntervals {
    fn name(&self) -> &str {
        "read_intervals"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.data_type.clone(), nullable)))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [stored] = take_function_args(self.name(), &call.args)?;
        let stored = stored.to_array(call.number_rows)?;
        Ok(ColumnarValue::Array(with_type(&stored, &self.data_type)?))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{
        array::{IntervalMonthDayNanoArray, ListArray, StructArray},
        buffer::OffsetBuffer,
        datatypes::IntervalMonthDayNanoType,
    };

    use super::*;

    #[test]
    fn intervals_are_the_same_when_they_are_read() {
        let spans = [Some((14, -3, 5_000)), None, Some((i32::MIN, i32::MAX, i64::MIN)), Some((0, 0, 0))];
        let made = spans
            .map(|span| span.map(|(months, days, nanos)| IntervalMonthDayNanoType::make_value(months, days, nanos)));
        let plain: ArrayRef = Arc::new(IntervalMonthDayNanoArray::from(made.to_vec()));
        let item = Arc::new(Field::new_list_field(plain.data_type().clone(), true));
        let list: ArrayRef =
            Arc::new(ListArray::new(item, OffsetBuffer::from_lengths([1, 0, 3]), Arc::clone(&plain), None));
        let field = Arc::new(Field::new("a", plain.data_type().clone(), true));
        let object: ArrayRef = Arc::new(StructArray::from(vec![(field, Arc::clone(&plain))]));
        // A slice begins in the middle of its buffers.
        for array in [plain.slice(1, 3), plain, list.slice(1, 2), list, object.slice(2, 1), object] {
            let schema = Arc::new(Schema::new(vec![Field::new("x", array.data_type().clone(), true)]));
            let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::clone(&array)]).unwrap();
            let kept = as_stored(batch, &stored(&schema)).unwrap();
            assert_ne!(kept.column(0).data_type(), array.data_type());
            let read = with_type(kept.column(0), array.data_type()).unwrap();
            assert_eq!(&read, &array);
        }
        assert!(!is_converted(&DataType::Utf8View) && stored_type(&DataType::Date32) == DataType::Date32);
    }
}
