//! Many Arrow types are written in one way. Each is cast to one of them first, so that the writers know only those.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, IntervalUnit};

/// The Arrow type that the writers take for a column of this type. Dates and times keep theirs, because another unit would
/// lose digits or years.
pub(crate) fn canonical(arrow: &DataType) -> DataType {
    use DataType as Arrow;
    match arrow {
        Arrow::Int8 | Arrow::UInt8 => Arrow::Int16,
        Arrow::UInt16 => Arrow::Int32,
        Arrow::UInt32 => Arrow::Int64,
        Arrow::UInt64 => Arrow::Decimal128(20, 0),
        Arrow::Float16 => Arrow::Float32,
        Arrow::Decimal32(precision, scale) | Arrow::Decimal64(precision, scale) => {
            Arrow::Decimal128(*precision, *scale)
        }
        Arrow::FixedSizeBinary(_) => Arrow::Binary,
        Arrow::Interval(_) => Arrow::Interval(IntervalUnit::MonthDayNano),
        Arrow::Dictionary(_, value) => canonical(value),
        Arrow::RunEndEncoded(_, value) => canonical(value.data_type()),
        _ => match element(arrow) {
            Some(element) => list_of(canonical(element)),
            None => arrow.clone(),
        },
    }
}

/// The element's type of a list.
pub(crate) fn element(arrow: &DataType) -> Option<&DataType> {
    match arrow {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => Some(field.data_type()),
        _ => None,
    }
}

/// A list of elements that may be null.
pub(crate) fn list_of(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element, true)))
}
