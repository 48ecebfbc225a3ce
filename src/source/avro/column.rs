//! A column on its way from Avro's bytes to an array: how its values are written, and those that were read.

use std::{mem::take, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, BinaryViewBuilder, BooleanBuilder, Decimal128Builder, Decimal256Builder,
        FixedSizeBinaryBuilder, Float32Builder, Float64Builder, Int32Builder, Int64Builder,
        IntervalMonthDayNanoBuilder, ListArray, MapArray, NullArray, NullBufferBuilder, StringBuilder,
        StringViewBuilder, StructArray, new_empty_array, new_null_array,
    },
    buffer::OffsetBuffer,
    compute::{cast, interleave},
    datatypes::{DataType, Field, Fields, IntervalUnit, Schema, i256},
    error::ArrowError,
};

use super::{
    super::{
        columns::owner,
        infer::{inverted, map_of, merge, pair, positions, type_name},
        lossless::{whole, whole_interval},
    },
    cursor::{Cursor, Fault},
    decimal::{digits, number, wide_number},
    unfit::{Unfit, first_unfit},
};

/// The bytes of an identifier.
const UUID_BYTES: i32 = 16;
/// Those of months, days and milliseconds.
const DURATION_BYTES: usize = 12;

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
    /// A number without its point, and what it must be less than.
    Decimal(Option<usize>, u128, Decimal128Builder),
    Wide(Option<usize>, i256, Decimal256Builder),
    /// How many digits it may have, and how many of them behind the point.
    Digits(Option<usize>, (usize, usize), StringViewBuilder),
    Duration(IntervalMonthDayNanoBuilder),
    /// The items, how many each list has, and which lists there are.
    List(Box<Column>, Vec<usize>, NullBufferBuilder),
    Map(StringBuilder, Box<Column>, Vec<usize>, NullBufferBuilder),
    Record(Fields, Vec<Column>, NullBufferBuilder),
    /// A union of null, which has this index, and one type.
    Optional(i64, Box<Column>),
    /// The branches, how many values each has, and where each row's value is: the branch, and the place in it.
    Union(Vec<Column>, Vec<usize>, Vec<(usize, usize)>),
    /// What nobody wants, and how many values of it there were.
    Passed(Box<Column>, usize),
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

    /// Of numbers with at most 76 digits.
    pub(super) fn wide(size: Option<usize>, precision: u8, scale: i8) -> Self {
        let data_type = DataType::Decimal256(precision, scale);
        let values = Decimal256Builder::with_capacity(0).with_data_type(data_type.clone());
        let limit = i256::from_i128(10).checked_pow(u32::from(precision)).unwrap_or(i256::MAX);
        Self { data_type, values: Values::Wide(size, limit, values) }
    }

    /// Of the texts of numbers with more digits than any type of numbers has room for.
    pub(super) fn digits(size: Option<usize>, precision: usize, scale: usize) -> Self {
        let values = StringViewBuilder::with_capacity(0);
        Self { data_type: DataType::Utf8View, values: Values::Digits(size, (precision, scale), values) }
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
        let data_type = map_of(DataType::Utf8, items.data_type.clone());
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

    /// The same, as nulls of no type: the bytes are passed over.
    pub(super) fn passed(self) -> Self {
        Self { data_type: DataType::Null, values: Values::Passed(Box::new(self), 0) }
    }

    /// The same, in which unions are of this type, or of what it has in their place, if their values may be: what holds them
    /// all otherwise may lose some on the way. Where it is text, so are the unions in lists, maps and records. Nothing was
    /// read yet.
    pub(super) fn aimed(self, wanted: &DataType) -> Self {
        let fits = |branch: &Self| whole(&new_empty_array(&branch.data_type), wanted).is_ok();
        match self.values {
            Values::Union(branches, counts, places) if branches.iter().all(fits) => {
                let branches = branches.into_iter().map(|branch| branch.aimed(wanted)).collect();
                Self { data_type: wanted.clone(), values: Values::Union(branches, counts, places) }
            }
            Values::Optional(null, column) => Self::optional(null, column.aimed(wanted)),
            Values::List(items, ..) => Self::list(match wanted {
                DataType::List(item) => items.aimed(item.data_type()),
                other => items.aimed_at_text(other),
            }),
            Values::Map(_, items, ..) => Self::map(match wanted {
                DataType::Map(entries, _) => match pair(entries) {
                    Some((_, value)) => items.aimed(value.data_type()),
                    None => *items,
                },
                other => items.aimed_at_text(other),
            }),
            Values::Record(fields, columns, _) => {
                let names: Vec<_> = fields.iter().map(|field| field.name().as_str()).collect();
                let wanted_fields = match wanted {
                    DataType::Struct(fields) => fields.clone(),
                    _ => Fields::empty(),
                };
                let places = positions(&Schema::new(wanted_fields.clone()), &names).unwrap_or_default();
                let owners = inverted(&places, columns.len());
                let columns = columns.into_iter().zip(owners).map(|(column, owner)| {
                    match owner.and_then(|owner| wanted_fields.get(owner)) {
                        Some(field) => column.aimed(field.data_type()),
                        None => column.aimed_at_text(wanted),
                    }
                });
                Self::record(names.iter().copied().zip(columns).collect())
            }
            values => Self { data_type: self.data_type, values },
        }
    }

    /// The same, in which unions are texts if what they stand in is wanted as text.
    fn aimed_at_text(self, wanted: &DataType) -> Self {
        if wanted.is_string() { self.aimed(wanted) } else { self }
    }

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
                let value = number(input.sized(*size)?).filter(|value| value.unsigned_abs() < *limit);
                values.append_value(value.map_or_else(|| none_of(&self.data_type), Ok)?);
            }
            Values::Wide(size, limit, values) => {
                let is_less = |value: &i256| value.checked_abs().is_some_and(|value| value < *limit);
                let value = wide_number(input.sized(*size)?).filter(is_less);
                values.append_value(value.map_or_else(|| none_of(&self.data_type), Ok)?);
            }
            Values::Digits(size, (precision, scale), values) => match digits(input.sized(*size)?, *precision, *scale) {
                Some(value) => values.append_value(value),
                None => return Fault::wrong(format!("a number has more than {precision} digits, or none")),
            },
            Values::Duration(values) => {
                let bytes = input.take(DURATION_BYTES)?;
                values.append_value(whole_interval(bytes).map_err(Fault::Wrong)?);
            }
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
            Values::Passed(column, count) => {
                column.pass(input)?;
                *count += 1;
            }
        }
        Ok(())
    }

    /// Passes over the bytes of a value. Of these no more is looked at than tells where they end.
    fn pass(&self, input: &mut Cursor<'_>) -> Result<(), Fault> {
        match &self.values {
            Values::Null(_) => input.free(),
            Values::Boolean(_) => input.take(1).map(|_| ()),
            Values::Int(_) | Values::Long(_) | Values::Enum(..) => input.long().map(|_| ()),
            Values::Float(_) => input.take(size_of::<f32>()).map(|_| ()),
            Values::Double(_) => input.take(size_of::<f64>()).map(|_| ()),
            Values::Bytes(size, _) | Values::Decimal(size, ..) | Values::Wide(size, ..) | Values::Digits(size, ..) => {
                input.sized(*size).map(|_| ())
            }
            Values::Text(_) => input.bytes().map(|_| ()),
            Values::Uuid(_) => input.take(UUID_BYTES as usize).map(|_| ()),
            Values::Duration(_) => input.take(DURATION_BYTES).map(|_| ()),
            Values::List(items, ..) => each(input, |input| items.pass(input)).map(|_| ()),
            Values::Map(_, items, ..) => each(input, |input| {
                input.bytes()?;
                items.pass(input)
            })
            .map(|_| ()),
            Values::Record(_, columns, _) => {
                if columns.is_empty() {
                    input.free()?;
                }
                columns.iter().try_for_each(|column| column.pass(input))
            }
            Values::Optional(null, column) => match input.long()? {
                branch @ (0 | 1) if branch == *null => input.free(),
                0 | 1 => column.pass(input),
                branch => Fault::wrong(format!("{branch} is none of 2 types")),
            },
            Values::Union(branches, ..) => {
                let branch = input.length()?;
                match branches.get(branch) {
                    Some(column) => column.pass(input),
                    None => Fault::wrong(format!("{branch} is none of {} types", branches.len())),
                }
            }
            Values::Passed(column, _) => column.pass(input),
        }
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
            Values::Wide(_, _, values) => values.append_null(),
            Values::Digits(_, _, values) => values.append_null(),
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
            Values::Passed(_, count) => *count += 1,
        }
        Ok(())
    }

    /// The values read since this was asked.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, Unfit> {
        let array: ArrayRef = match &mut self.values {
            Values::Null(count) | Values::Passed(_, count) => Arc::new(NullArray::new(take(count))),
            Values::Boolean(values) => Arc::new(values.finish()),
            // Whoever makes the table's column of it looks whether times of day are within one.
            Values::Int(values) => cast(&values.finish(), &self.data_type)?,
            Values::Long(values) => cast(&values.finish(), &self.data_type)?,
            Values::Float(values) => Arc::new(values.finish()),
            Values::Double(values) => Arc::new(values.finish()),
            Values::Bytes(_, values) => Arc::new(values.finish()),
            Values::Text(values) | Values::Enum(_, values) => Arc::new(values.finish()),
            Values::Uuid(values) => {
                let bytes: ArrayRef = Arc::new(values.finish());
                whole(&bytes, &self.data_type)?
            }
            Values::Decimal(_, _, values) => Arc::new(values.finish()),
            Values::Wide(_, _, values) => Arc::new(values.finish()),
            Values::Digits(_, _, values) => Arc::new(values.finish()),
            Values::Duration(values) => Arc::new(values.finish()),
            Values::List(items, lengths, lists) => {
                let item = Arc::new(Field::new_list_field(items.data_type.clone(), true));
                let items = items.finish().map_err(|unfit| unfit.at(|item| owner(lengths.iter().copied(), item)))?;
                let lengths = OffsetBuffer::from_lengths(take(lengths));
                Arc::new(ListArray::try_new(item, lengths, items, lists.finish())?)
            }
            Values::Map(keys, items, lengths, maps) => {
                let keys: ArrayRef = Arc::new(keys.finish());
                let items = items.finish().map_err(|unfit| unfit.at(|item| owner(lengths.iter().copied(), item)))?;
                map_array(keys, items, take(lengths), maps)?
            }
            Values::Record(fields, columns, records) => {
                let columns = columns.iter_mut().map(Self::finish).collect::<Result<Vec<_>, _>>()?;
                let (length, records) = (records.len(), records.finish());
                Arc::new(StructArray::try_new_with_length(fields.clone(), columns, records, length)?)
            }
            Values::Optional(_, column) => column.finish()?,
            Values::Union(branches, counts, places) => {
                let mut arrays = Vec::with_capacity(branches.len() + 1);
                for (branch, column) in branches.iter_mut().enumerate() {
                    let row = |place: usize| places.iter().position(|found| *found == (branch, place)).unwrap_or(place);
                    let values = column.finish().map_err(|unfit| unfit.at(row))?;
                    let array = whole(&values, &self.data_type);
                    arrays.push(array.map_err(|error| first_unfit(&values, &self.data_type, error).at(row))?);
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

/// Maps of so many entries each.
fn map_array(
    keys: ArrayRef,
    items: ArrayRef,
    lengths: Vec<usize>,
    maps: &mut NullBufferBuilder,
) -> Result<ArrayRef, ArrowError> {
    let DataType::Map(entries, ordered) = map_of(keys.data_type().clone(), items.data_type().clone()) else {
        return Err(ArrowError::SchemaError("maps are of another type".to_owned()));
    };
    let fields = pair(&entries).map(|(key, value)| vec![Arc::clone(key), Arc::clone(value)]).unwrap_or_default();
    let pairs = StructArray::try_new(fields.into(), vec![keys, items], None)?;
    let map = MapArray::try_new(entries, OffsetBuffer::from_lengths(lengths), pairs, maps.finish(), ordered)?;
    Ok(Arc::new(map))
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

/// The fault of a number that has too many digits, or none.
fn none_of<T>(data_type: &DataType) -> Result<T, Fault> {
    Fault::wrong(format!("a number is none of type {}", type_name(data_type)))
}
