//! A column on its way from Avro's bytes to an array: how its values are written, and those that were read.

use std::{mem::take, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryViewBuilder, BooleanBuilder, Decimal128Builder, FixedSizeBinaryBuilder,
        Float32Builder, Float64Builder, Int32Builder, Int64Builder, IntervalMonthDayNanoBuilder, ListArray, MapArray,
        NullArray, NullBufferBuilder, StringBuilder, StringViewBuilder, StructArray, new_empty_array, new_null_array,
    },
    buffer::OffsetBuffer,
    compute::{cast, interleave},
    datatypes::{DataType, Field, Fields, Int64Type, IntervalMonthDayNano, IntervalUnit, TimeUnit},
    error::ArrowError,
};

use super::{
    super::{
        binary::Unfit,
        infer::{merge, type_name},
        lossless::whole,
    },
    cursor::{Cursor, Fault},
};

/// The bytes of an identifier.
const UUID_BYTES: i32 = 16;

/// A column, of a type that a table may have as it is.
pub(super) struct Column {
    data_type: DataType,
    values: Values,
}

/// The values read so far, by how they are written.
enum Values {
    Null(usize),
    Boolean(BooleanBuilder),
    /// What an int is, a day or a time for instance.
    Int(Int32Builder),
    Long(Int64Builder),
    Float(Float32Builder),
    Double(Float64Builder),
    /// Of a fixed size, or of any.
    Bytes(Option<usize>, BinaryViewBuilder),
    Text(StringViewBuilder),
    /// An index into the symbols.
    Enum(Vec<String>, StringViewBuilder),
    Uuid(FixedSizeBinaryBuilder),
    /// The digits of a number as one of two's complement, the highest byte first; and what it must be less than.
    Decimal(Option<usize>, u128, Decimal128Builder),
    Duration(IntervalMonthDayNanoBuilder),
    /// The items, how many each list has, and which lists there are.
    List(Box<Column>, Vec<usize>, NullBufferBuilder),
    Map(StringBuilder, Box<Column>, Vec<usize>, NullBufferBuilder),
    Record(Fields, Vec<Column>, NullBufferBuilder),
    /// A union of null, which has this index, and one type.
    Optional(i64, Box<Column>),
    /// The branches, how many values each has, and where each row's value is: the branch, and the place in it.
    Union(Vec<Column>, Vec<usize>, Vec<(usize, usize)>),
}

impl Column {
    pub(super) fn null() -> Self {
        Self { data_type: DataType::Null, values: Values::Null(0) }
    }

    pub(super) fn boolean() -> Self {
        Self { data_type: DataType::Boolean, values: Values::Boolean(BooleanBuilder::with_capacity(0)) }
    }

    /// Of ints that mean a value of the type.
    pub(super) fn int(data_type: DataType) -> Self {
        Self { data_type, values: Values::Int(Int32Builder::with_capacity(0)) }
    }

    /// Of longs that mean a value of the type.
    pub(super) fn long(data_type: DataType) -> Self {
        Self { data_type, values: Values::Long(Int64Builder::with_capacity(0)) }
    }

    pub(super) fn float() -> Self {
        Self { data_type: DataType::Float32, values: Values::Float(Float32Builder::with_capacity(0)) }
    }

    pub(super) fn double() -> Self {
        Self { data_type: DataType::Float64, values: Values::Double(Float64Builder::with_capacity(0)) }
    }

    pub(super) fn bytes(size: Option<usize>) -> Self {
        Self { data_type: DataType::BinaryView, values: Values::Bytes(size, BinaryViewBuilder::with_capacity(0)) }
    }

    pub(super) fn text() -> Self {
        Self { data_type: DataType::Utf8View, values: Values::Text(StringViewBuilder::with_capacity(0)) }
    }

    pub(super) fn symbols(symbols: Vec<String>) -> Self {
        Self { data_type: DataType::Utf8View, values: Values::Enum(symbols, StringViewBuilder::with_capacity(0)) }
    }

    /// Of the texts of identifiers that are written as 16 bytes.
    pub(super) fn uuid() -> Self {
        let values = FixedSizeBinaryBuilder::with_capacity(0, UUID_BYTES);
        Self { data_type: DataType::Utf8View, values: Values::Uuid(values) }
    }

    /// Of numbers with at most 38 digits, as many as `scale` of them behind the point.
    pub(super) fn decimal(size: Option<usize>, precision: u8, scale: i8) -> Self {
        let data_type = DataType::Decimal128(precision, scale);
        let values = Decimal128Builder::with_capacity(0).with_data_type(data_type.clone());
        let limit = 10_u128.checked_pow(u32::from(precision)).unwrap_or(u128::MAX);
        Self { data_type, values: Values::Decimal(size, limit, values) }
    }

    pub(super) fn duration() -> Self {
        let values = IntervalMonthDayNanoBuilder::with_capacity(0);
        Self { data_type: DataType::Interval(IntervalUnit::MonthDayNano), values: Values::Duration(values) }
    }

    pub(super) fn list(items: Self) -> Self {
        let data_type = DataType::new_list(items.data_type.clone(), true);
        Self { data_type, values: Values::List(Box::new(items), Vec::new(), NullBufferBuilder::new(0)) }
    }

    pub(super) fn map(items: Self) -> Self {
        let data_type = DataType::Map(entries(&items.data_type), false);
        let keys = StringBuilder::with_capacity(0, 0);
        Self { data_type, values: Values::Map(keys, Box::new(items), Vec::new(), NullBufferBuilder::new(0)) }
    }

    pub(super) fn record(fields: Vec<(&str, Self)>) -> Self {
        let (fields, columns): (Vec<_>, Vec<_>) =
            fields.into_iter().map(|(name, column)| (Field::new(name, column.data_type.clone(), true), column)).unzip();
        let fields = Fields::from(fields);
        let data_type = DataType::Struct(fields.clone());
        Self { data_type, values: Values::Record(fields, columns, NullBufferBuilder::new(0)) }
    }

    pub(super) fn optional(null: i64, column: Self) -> Self {
        Self { data_type: column.data_type.clone(), values: Values::Optional(null, Box::new(column)) }
    }

    /// Of values of several types, which have the type that holds all; else what their types are.
    pub(super) fn union(branches: Vec<Self>) -> Result<Self, String> {
        let mut merged = Vec::new();
        for branch in &branches {
            merge(&mut merged, &[Arc::new(Field::new("", branch.data_type.clone(), true))]);
        }
        let data_type = merged.pop().map_or(DataType::Null, |field| field.data_type().clone());
        let fits = |branch: &Self| whole(&new_empty_array(&branch.data_type), &data_type).is_ok();
        if !branches.iter().all(fits) {
            let types = branches.iter().map(|branch| &branch.data_type).filter(|data_type| !data_type.is_null());
            return Err(types.map(type_name).collect::<Vec<_>>().join(", "));
        }
        let counts = vec![0; branches.len()];
        Ok(Self { data_type, values: Values::Union(branches, counts, Vec::new()) })
    }

    /// The column whose unions have the type that a table's column has, where that holds all their values: the one that holds all
    /// of some types holds not each value of them. Nothing was read yet.
    pub(super) fn wanted(self, wanted: &DataType) -> Self {
        match self.values {
            Values::Optional(null, column) => Self::optional(null, column.wanted(wanted)),
            Values::Union(branches, counts, places) => {
                let fits = |branch: &Self| whole(&new_empty_array(&branch.data_type), wanted).is_ok();
                let data_type = if branches.iter().all(fits) { wanted.clone() } else { self.data_type };
                Self { data_type, values: Values::Union(branches, counts, places) }
            }
            Values::List(items, ..) => {
                let item = match wanted {
                    DataType::List(item) => item.data_type(),
                    other => other,
                };
                Self::list(items.wanted(item))
            }
            Values::Record(fields, columns, _) => {
                let columns = fields.iter().zip(columns).map(|(field, column)| {
                    let found = match wanted {
                        DataType::Struct(fields) => fields.find(field.name()).map(|(_, field)| field.data_type()),
                        other => Some(other),
                    };
                    (field.name().as_str(), wanted_as(column, found))
                });
                Self::record(columns.collect())
            }
            values => Self { data_type: self.data_type, values },
        }
    }

    /// The type of the values.
    pub(super) fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// The fields and columns of a record; of anything else its type.
    pub(super) fn into_record(self) -> Result<(Fields, Vec<Self>), DataType> {
        match self.values {
            Values::Record(fields, columns, _) => Ok((fields, columns)),
            _ => Err(self.data_type),
        }
    }

    /// Reads a value.
    pub(super) fn read(&mut self, input: &mut Cursor<'_>) -> Result<(), Fault> {
        match &mut self.values {
            Values::Null(count) => {
                input.free()?;
                *count += 1;
            }
            Values::Boolean(values) => values.append_value(input.boolean()?),
            Values::Int(values) => values.append_value(input.int()?),
            Values::Long(values) => values.append_value(input.long()?),
            Values::Float(values) => values.append_value(f32::from_le_bytes(input.array()?)),
            Values::Double(values) => values.append_value(f64::from_le_bytes(input.array()?)),
            Values::Bytes(size, values) => values.append_value(input.sized(*size)?),
            Values::Text(values) => values.append_value(input.text()?),
            Values::Enum(symbols, values) => {
                let index = input.length()?;
                match symbols.get(index) {
                    Some(symbol) => values.append_value(symbol),
                    None => return Fault::wrong(format!("{index} is none of {} symbols", symbols.len())),
                }
            }
            Values::Uuid(values) => {
                let bytes: [u8; UUID_BYTES as usize] = input.array()?;
                values.append_value(bytes).or_else(|error| Fault::wrong(error.to_string()))?;
            }
            Values::Decimal(size, limit, values) => {
                let value = decimal(input.sized(*size)?).filter(|value| value.unsigned_abs() < *limit);
                match value {
                    Some(value) => values.append_value(value),
                    None => return Fault::wrong(format!("a number is none of type {}", type_name(&self.data_type))),
                }
            }
            Values::Duration(values) => values.append_value(duration(input)?),
            Values::List(items, lengths, lists) => {
                lengths.push(each(input, |input| items.read(input))?);
                lists.append_non_null();
            }
            Values::Map(keys, items, lengths, maps) => {
                let length = each(input, |input| {
                    keys.append_value(input.text()?);
                    items.read(input)
                })?;
                lengths.push(length);
                maps.append_non_null();
            }
            Values::Record(_, columns, records) => {
                if columns.is_empty() {
                    input.free()?;
                }
                for column in columns {
                    column.read(input)?;
                }
                records.append_non_null();
            }
            Values::Optional(null, column) => match input.long()? {
                branch @ (0 | 1) if branch == *null => column.skip(input)?,
                0 | 1 => column.read(input)?,
                branch => return Fault::wrong(format!("{branch} is none of 2 types")),
            },
            Values::Union(branches, counts, places) => {
                let (branch, count) = (input.length()?, branches.len());
                let (Some(column), Some(place)) = (branches.get_mut(branch), counts.get_mut(branch)) else {
                    return Fault::wrong(format!("{branch} is none of {count} types"));
                };
                column.read(input)?;
                places.push((branch, *place));
                *place += 1;
            }
        }
        Ok(())
    }

    /// Adds a row without a value, for which no bytes are read.
    fn skip(&mut self, input: &mut Cursor<'_>) -> Result<(), Fault> {
        input.free()?;
        match &mut self.values {
            Values::Null(count) => *count += 1,
            Values::Boolean(values) => values.append_null(),
            Values::Int(values) => values.append_null(),
            Values::Long(values) => values.append_null(),
            Values::Float(values) => values.append_null(),
            Values::Double(values) => values.append_null(),
            Values::Bytes(_, values) => values.append_null(),
            Values::Text(values) | Values::Enum(_, values) => values.append_null(),
            Values::Uuid(values) => values.append_null(),
            Values::Decimal(_, _, values) => values.append_null(),
            Values::Duration(values) => values.append_null(),
            Values::List(_, lengths, rows) | Values::Map(_, _, lengths, rows) => {
                lengths.push(0);
                rows.append_null();
            }
            Values::Record(_, columns, records) => {
                for column in columns {
                    column.skip(input)?;
                }
                records.append_null();
            }
            Values::Optional(_, column) => column.skip(input)?,
            // What follows the branches is the missing value.
            Values::Union(branches, _, places) => places.push((branches.len(), 0)),
        }
        Ok(())
    }

    /// The values read since this was asked.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let array: ArrayRef = match &mut self.values {
            Values::Null(count) => Arc::new(NullArray::new(take(count))),
            Values::Boolean(values) => Arc::new(values.finish()),
            Values::Int(values) => of_day(cast(&values.finish(), &self.data_type)?)?,
            Values::Long(values) => of_day(cast(&values.finish(), &self.data_type)?)?,
            Values::Float(values) => Arc::new(values.finish()),
            Values::Double(values) => Arc::new(values.finish()),
            Values::Bytes(_, values) => Arc::new(values.finish()),
            Values::Text(values) | Values::Enum(_, values) => Arc::new(values.finish()),
            Values::Uuid(values) => {
                let bytes: ArrayRef = Arc::new(values.finish());
                whole(&bytes, &self.data_type)?
            }
            Values::Decimal(_, _, values) => Arc::new(values.finish()),
            Values::Duration(values) => Arc::new(values.finish()),
            Values::List(items, lengths, lists) => {
                let item = Arc::new(Field::new_list_field(items.data_type.clone(), true));
                let lengths = OffsetBuffer::from_lengths(take(lengths));
                Arc::new(ListArray::try_new(item, lengths, items.finish()?, lists.finish())?)
            }
            Values::Map(keys, items, lengths, maps) => {
                let keys: ArrayRef = Arc::new(keys.finish());
                let items = items.finish()?;
                let pairs = StructArray::try_new(pair(items.data_type()), vec![keys, items], None)?;
                let entry = entries(pairs.column(1).data_type());
                let lengths = OffsetBuffer::from_lengths(take(lengths));
                Arc::new(MapArray::try_new(entry, lengths, pairs, maps.finish(), false)?)
            }
            Values::Record(fields, columns, records) => {
                let columns = columns.iter_mut().map(Self::finish).collect::<Result<Vec<_>, _>>()?;
                let (length, records) = (records.len(), records.finish());
                Arc::new(StructArray::try_new_with_length(fields.clone(), columns, records, length)?)
            }
            Values::Optional(_, column) => column.finish()?,
            Values::Union(branches, counts, places) => {
                let mut arrays = Vec::with_capacity(branches.len() + 1);
                for branch in branches {
                    let values = branch.finish()?;
                    let values = whole(&values, &self.data_type);
                    arrays.push(values.map_err(|error| unfit(&branch.data_type, &self.data_type, error))?);
                }
                arrays.push(new_null_array(&self.data_type, 1));
                counts.fill(0);
                let arrays: Vec<&dyn Array> = arrays.iter().map(|array| array.as_ref()).collect();
                interleave(&arrays, &take(places))?
            }
        };
        Ok(array)
    }
}

/// The column as a table wants it, if it has it.
fn wanted_as(column: Column, found: Option<&DataType>) -> Column {
    match found {
        Some(found) => column.wanted(found),
        None => column,
    }
}

/// The error of a value of a union that its type does not hold.
fn unfit(found: &DataType, expected: &DataType, error: ArrowError) -> ArrowError {
    let ArrowError::CastError(reason) = error else { return error };
    let (found, expected) = (type_name(found), type_name(expected));
    ArrowError::ExternalError(Box::new(Unfit { column: String::new(), found, expected, reason }))
}

/// The key and the value of a map, as those in Arrow files are called.
fn pair(value: &DataType) -> Fields {
    vec![Field::new("key", DataType::Utf8, false), Field::new("value", value.clone(), true)].into()
}

fn entries(value: &DataType) -> Arc<Field> {
    Arc::new(Field::new("entries", DataType::Struct(pair(value)), false))
}

/// Reads the items of a list or map, and says how many there are.
fn each<'a>(
    input: &mut Cursor<'a>,
    mut read: impl FnMut(&mut Cursor<'a>) -> Result<(), Fault>,
) -> Result<usize, Fault> {
    let mut length = 0;
    loop {
        let count = input.items()?;
        if count == 0 {
            return Ok(length);
        }
        // Each item takes a byte or counts as free, so that the bytes that follow limit their number.
        for _ in 0..count {
            read(input)?;
            length += 1;
        }
    }
}

/// The number of bytes in two's complement, the highest first; none where there are no bytes, or too many.
fn decimal(bytes: &[u8]) -> Option<i128> {
    let start = if bytes.first()? & 0x80 == 0 { 0_i128 } else { -1 };
    bytes.iter().try_fold(start, |value, byte| value.checked_mul(256)?.checked_add(i128::from(*byte)))
}

/// Months, days and milliseconds.
fn duration(input: &mut Cursor<'_>) -> Result<IntervalMonthDayNano, Fault> {
    let (months, days) = (u32::from_le_bytes(input.array()?), u32::from_le_bytes(input.array()?));
    let milliseconds = u32::from_le_bytes(input.array()?);
    let (Ok(months), Ok(days)) = (i32::try_from(months), i32::try_from(days)) else {
        return Fault::wrong(format!("{months} months and {days} days are out of the range of an interval"));
    };
    Ok(IntervalMonthDayNano::new(months, days, i64::from(milliseconds) * 1_000_000))
}

/// The values, of which those that are times of day are within one.
fn of_day(values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let of_second = match values.data_type() {
        DataType::Time32(TimeUnit::Second) => 1,
        DataType::Time32(_) => 1_000,
        DataType::Time64(TimeUnit::Microsecond) => 1_000_000,
        DataType::Time64(_) => 1_000_000_000,
        _ => return Ok(values),
    };
    let numbers = match values.data_type() {
        DataType::Time32(_) => cast(&cast(&values, &DataType::Int32)?, &DataType::Int64)?,
        _ => cast(&values, &DataType::Int64)?,
    };
    let day = 0..86_400 * of_second;
    match numbers.as_primitive::<Int64Type>().iter().flatten().find(|number| !day.contains(number)) {
        Some(outside) => Err(ArrowError::CastError(format!("{outside} is no time of day"))),
        None => Ok(values),
    }
}
