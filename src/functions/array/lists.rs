//! Arrays as PostgreSQL has them, the lengths of their dimensions and their elements in a row, over lists of lists.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{
        Array as _, ArrayRef, AsArray, Decimal128Array, DynComparator, ListArray, make_comparator, new_empty_array,
    },
    buffer::{NullBuffer, OffsetBuffer},
    compute::{SortOptions, cast, interleave, kernels::length::length},
    datatypes::{DataType, Float32Type, Float64Type, Int32Type, IntervalMonthDayNanoType, IntervalUnit},
    error::ArrowError,
};

use crate::{
    fault::{Failure, Fault, Result},
    functions::Room,
    interrupt::{step, steps},
    pgtype::{self, calendar::interval_length},
};

/// A column of arrays.
pub(in crate::functions) struct Lists {
    /// The lists of each dimension, from the outermost in.
    levels: Vec<ListArray>,
    /// All elements.
    pub(in crate::functions) leaves: ArrayRef,
}

/// An array of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::functions) struct Array {
    /// The length of each dimension, from the outermost in; none of an empty array.
    pub(in crate::functions) dimensions: Vec<usize>,
    /// Where its elements are among all.
    pub(in crate::functions) elements: Range<usize>,
}

impl Array {
    pub(super) fn is_empty(&self) -> bool {
        self.dimensions.is_empty()
    }
}

impl Lists {
    pub(in crate::functions) fn of(arrays: &ArrayRef) -> Result<Self> {
        let (mut levels, mut leaves) = (Vec::new(), Arc::clone(arrays));
        while let Some(lists) = leaves.as_list_opt::<i32>().cloned() {
            leaves = Arc::clone(lists.values());
            levels.push(lists);
        }
        if levels.is_empty() {
            let found = pgtype::type_name(arrays.data_type());
            return Err(Failure::new(Fault::Internal, format!("an argument of the type {found} is no array")));
        }
        Ok(Self { levels, leaves })
    }

    /// The array of a row; none where it is NULL.
    pub(in crate::functions) fn array(&self, row: usize) -> Option<Array> {
        let mut elements = row..row + 1;
        let mut dimensions = Vec::with_capacity(self.levels.len());
        for level in &self.levels {
            if dimensions.is_empty() && level.is_null(row) {
                return None;
            }
            let offsets = level.value_offsets();
            let at = |place: usize| usize::try_from(offsets[place]).unwrap_or(0);
            dimensions.push(at(elements.start + 1) - at(elements.start));
            elements = at(elements.start)..at(elements.end);
            if elements.is_empty() {
                return Some(Array { dimensions: Vec::new(), elements: 0..0 });
            }
        }
        Some(Array { dimensions, elements })
    }

    /// Whether there are arrays within the arrays.
    pub(in crate::functions) fn is_nested(&self) -> bool {
        self.levels.len() > 1
    }

    /// Refuses lists of unequal length within one another, which are no array of PostgreSQL's.
    pub(super) fn check_box(&self, row: usize) -> Result<()> {
        let mut elements = row..row + 1;
        for level in &self.levels {
            let offsets = level.value_offsets();
            let mut lengths = offsets[elements.start..=elements.end].windows(2).map(|pair| pair[1] - pair[0]);
            let first = lengths.next();
            if lengths.any(|length| Some(length) != first) {
                let message = "multidimensional arrays must have array expressions with matching dimensions";
                return Err(Failure::new(Fault::ArraySubscript, message));
            }
            let at = |place: usize| usize::try_from(offsets[place]).unwrap_or(0);
            elements = at(elements.start)..at(elements.end);
        }
        Ok(())
    }

    /// Whether an array within the one of a row is NULL, and whether one is empty.
    pub(super) fn within(&self, row: usize) -> (bool, bool) {
        let (Some(outer), Some(inner)) = (self.levels.first(), self.levels.get(1)) else { return (false, false) };
        let at = |place: usize| usize::try_from(outer.value_offsets()[place]).unwrap_or(0);
        let mut arrays = at(row)..at(row + 1);
        let has_null = arrays.clone().any(|array| inner.is_null(array));
        (has_null, arrays.any(|array| inner.value_length(array) == 0))
    }

    /// Where an element is, of which the place in each dimension is given, from 1 on.
    pub(super) fn element(&self, row: usize, places: &[i32]) -> Option<usize> {
        if places.len() != self.levels.len() {
            return None;
        }
        let mut at = row;
        for (level, place) in self.levels.iter().zip(places) {
            if level.is_null(at) {
                return None;
            }
            let place = usize::try_from(*place).ok()?.checked_sub(1)?;
            if place >= usize::try_from(level.value_length(at)).ok()? {
                return None;
            }
            at = usize::try_from(*level.value_offsets().get(at)?).ok()? + place;
        }
        Some(at)
    }
}

/// Arrays that are made of elements of others, which are picked by the number of their source and their place in it.
pub(in crate::functions) struct Builder<'a> {
    result: &'a DataType,
    dimensions: usize,
    rows: Vec<Option<Vec<usize>>>,
    picked: Vec<(usize, usize)>,
    room: Room,
}

impl<'a> Builder<'a> {
    pub(in crate::functions) fn new(result: &'a DataType) -> Self {
        Self {
            result,
            dimensions: pgtype::dimensions_of(result),
            rows: Vec::new(),
            picked: Vec::new(),
            room: Room::default(),
        }
    }

    pub(in crate::functions) fn push_null(&mut self) {
        self.rows.push(None);
    }

    /// An array of elements whose number is the product of its dimensions.
    pub(in crate::functions) fn push(
        &mut self,
        dimensions: Vec<usize>,
        elements: impl IntoIterator<Item = (usize, usize)>,
    ) -> Result<()> {
        let before = self.picked.len();
        // Where each element is found takes more than many of them.
        let count = dimensions.iter().product::<usize>();
        steps(count.max(1))?;
        self.room.take(count.saturating_mul(size_of::<(usize, usize)>()))?;
        self.picked.extend(elements);
        if self.picked.len() == before {
            self.rows.push(Some(Vec::new()));
            return Ok(());
        }
        if dimensions.len() != self.dimensions {
            let (found, wanted) = (dimensions.len(), self.dimensions);
            let message = format!("an array of {found} dimensions is not supported among those of {wanted}");
            return Err(Failure::new(Fault::FeatureNotSupported, message));
        }
        if i32::try_from(self.picked.len()).is_err() {
            return Err(Failure::new(Fault::LimitExceeded, "the arrays of a batch have too many elements"));
        }
        self.rows.push(Some(dimensions));
        Ok(())
    }

    /// Refuses more bytes than there is room for: a long text may be picked many times.
    fn check_bytes(&self, sources: &[ArrayRef]) -> Result<()> {
        if !matches!(pgtype::innermost(self.result), DataType::Utf8 | DataType::Binary) {
            return Ok(());
        }
        let lengths = sources.iter().map(|source| length(source)).collect::<Result<Vec<ArrayRef>, ArrowError>>();
        let lengths = lengths.map_err(wrong)?;
        let lengths: Vec<_> = lengths.iter().filter_map(|lengths| lengths.as_primitive_opt::<Int32Type>()).collect();
        let mut room = Room::default();
        for (source, at) in &self.picked {
            step()?;
            let Some(lengths) = lengths.get(*source) else { continue };
            let is_valid = *at < lengths.len() && lengths.is_valid(*at);
            room.take(if is_valid { usize::try_from(lengths.value(*at)).unwrap_or(0) } else { 0 })?;
        }
        Ok(())
    }

    pub(in crate::functions) fn finish(self, sources: &[&ArrayRef]) -> Result<ArrayRef> {
        let leaf = pgtype::innermost(self.result);
        let same = |source: &&ArrayRef| match source.data_type() == leaf {
            true => Ok(Arc::clone(source)),
            false => cast(source, leaf),
        };
        let sources = sources.iter().map(same).collect::<Result<Vec<ArrayRef>, ArrowError>>().map_err(wrong)?;
        self.check_bytes(&sources)?;
        let sources: Vec<&dyn arrow::array::Array> = sources.iter().map(AsRef::as_ref).collect();
        let mut values = match self.picked.is_empty() {
            true => new_empty_array(leaf),
            false => interleave(&sources, &self.picked).map_err(wrong)?,
        };
        let mut fields = Vec::with_capacity(self.dimensions);
        let mut level = self.result;
        while let DataType::List(field) = level {
            level = field.data_type();
            fields.push(field);
        }
        for (level, field) in fields.into_iter().enumerate().rev() {
            let lengths = self.rows.iter().flat_map(|row| {
                let dimensions = row.as_deref().unwrap_or_default();
                let length = |level: usize| dimensions.get(level).copied().unwrap_or(0);
                std::iter::repeat_n(length(level), (0..level).map(length).product())
            });
            let offsets = OffsetBuffer::from_lengths(lengths);
            let nulls = (level == 0).then(|| self.rows.iter().map(Option::is_some).collect::<NullBuffer>());
            let lists = ListArray::try_new(Arc::clone(field), offsets, values, nulls).map_err(wrong)?;
            values = Arc::new(lists);
        }
        Ok(values)
    }
}

pub(super) fn wrong(error: ArrowError) -> Failure {
    Failure::new(Fault::Internal, error.to_string())
}

/// Compares elements of two arrays of one type by their places, as PostgreSQL does: NULL is greater than any value, and no
/// NULL than another; zeros are one, and so are values that are no number.
pub(in crate::functions) fn comparing(left: &ArrayRef, right: &ArrayRef) -> Result<DynComparator> {
    let (left, right) = (comparable(left), comparable(right));
    let options = SortOptions { descending: false, nulls_first: false };
    make_comparator(&left, &right, options).map_err(|_| {
        let name = pgtype::type_name(left.data_type());
        Failure::new(Fault::UndefinedFunction, format!("could not identify a comparison function for type {name}"))
    })
}

/// Values that are equal where PostgreSQL's are.
pub(crate) fn comparable(values: &ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Float32 => {
            let one = |value: f32| if value.is_nan() { f32::NAN } else { value + 0.0 };
            Arc::new(values.as_primitive::<Float32Type>().unary::<_, Float32Type>(one))
        }
        DataType::Float64 => {
            let one = |value: f64| if value.is_nan() { f64::NAN } else { value + 0.0 };
            Arc::new(values.as_primitive::<Float64Type>().unary::<_, Float64Type>(one))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let intervals = values.as_primitive::<IntervalMonthDayNanoType>().iter();
            let lengths = intervals.map(|interval| interval.map(interval_length));
            Arc::new(lengths.collect::<Decimal128Array>())
        }
        _ => Arc::clone(values),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cmp::Ordering;

    use arrow::{array::Int32Array, datatypes::Field};

    use super::*;

    fn nested() -> ArrayRef {
        // {{1,2},{3,4}}, NULL, {}, {{5}}
        let inner = ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1), Some(2)]),
            Some(vec![Some(3), Some(4)]),
            Some(vec![Some(5)]),
        ]);
        let field = Arc::new(Field::new_list_field(inner.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths([2, 0, 0, 1]);
        let nulls = NullBuffer::from(vec![true, false, true, true]);
        Arc::new(ListArray::try_new(field, offsets, Arc::new(inner), Some(nulls)).unwrap())
    }

    #[test]
    fn arrays_have_dimensions_and_elements_in_a_row() {
        let lists = Lists::of(&nested()).unwrap();
        let array = |dimensions: &[usize], elements| Some(Array { dimensions: dimensions.to_vec(), elements });
        assert_eq!(lists.array(0), array(&[2, 2], 0..4));
        assert_eq!(lists.array(1), None);
        assert_eq!(lists.array(2), array(&[], 0..0));
        assert_eq!(lists.array(3), array(&[1, 1], 4..5));
        let sliced = Lists::of(&nested().slice(2, 2)).unwrap();
        assert_eq!(sliced.array(1), array(&[1, 1], 4..5));
        assert!((0..4).all(|row| lists.check_box(row).is_ok()));
        assert_eq!((lists.within(0), lists.within(2)), ((false, false), (false, false)));
        assert_eq!(lists.element(0, &[2, 1]), Some(2));
        assert_eq!(sliced.element(1, &[1, 1]), Some(4));
        for places in [&[3, 1][..], &[0, 1], &[1, -1], &[1], &[1, 1, 1]] {
            assert_eq!(lists.element(0, places), None, "{places:?}");
        }
    }

    #[test]
    fn what_is_picked_is_put_together() {
        let whole = nested();
        let lists = Lists::of(&whole).unwrap();
        let mut builder = Builder::new(whole.data_type());
        builder.push(vec![2, 2], (0..4).map(|at| (0, at))).unwrap();
        builder.push_null();
        builder.push(vec![0], []).unwrap();
        builder.push(vec![1, 1], [(0, 4)]).unwrap();
        assert_eq!(&builder.finish(&[&lists.leaves]).unwrap(), &whole);
        let mut builder = Builder::new(whole.data_type());
        assert!(builder.push(vec![1], [(0, 0)]).is_err());
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![7]));
        let result = pgtype::list_of(DataType::Int64);
        let mut builder = Builder::new(&result);
        builder.push(vec![1], [(0, 0)]).unwrap();
        assert_eq!(builder.finish(&[&numbers]).unwrap().data_type(), &result);
    }

    #[test]
    fn values_compare_as_in_postgresql() {
        let floats: ArrayRef = Arc::new(arrow::array::Float64Array::from(vec![
            Some(0.0),
            Some(-0.0),
            Some(f64::NAN),
            None,
            Some(-f64::NAN),
        ]));
        let compare = comparing(&floats, &floats).unwrap();
        assert_eq!(compare(0, 1), Ordering::Equal);
        assert_eq!(compare(2, 4), Ordering::Equal);
        assert_eq!(compare(2, 3), Ordering::Less);
        assert_eq!(compare(3, 3), Ordering::Equal);
    }
}
