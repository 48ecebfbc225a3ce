//! `arraycontains`, `arraycontained` and `arrayoverlap`: what the operators `@>`, `<@` and `&&` are between arrays. NULL is
//! in no array.

use std::{collections::HashSet, ops::Range, slice};

use arrow::{
    array::{Array as _, ArrayRef, DynComparator},
    buffer::NullBuffer,
    row::{RowConverter, SortField},
};

use super::lists::{Lists, comparable, comparing, wrong};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    interrupt::{step, steps},
    pgtype::{ANYARRAY, BOOL},
};

pub(crate) static ARRAYCONTAINS: Function = Function {
    name: "arraycontains",
    purpose: "Whether all elements of the second array are in the first",
    example: "arraycontains(ARRAY[1, 2, 3], ARRAY[3, 1])",
    shows: "true",
    overloads: &[Overload::new(&[ANYARRAY, ANYARRAY], BOOL, |call| contained(call, 1, 0))],
};

pub(crate) static ARRAYCONTAINED: Function = Function {
    name: "arraycontained",
    purpose: "Whether all elements of the first array are in the second",
    example: "arraycontained(ARRAY[1, 4], ARRAY[1, 2, 3])",
    shows: "false",
    overloads: &[Overload::new(&[ANYARRAY, ANYARRAY], BOOL, |call| contained(call, 0, 1))],
};

pub(crate) static ARRAYOVERLAP: Function = Function {
    name: "arrayoverlap",
    purpose: "Whether an element of the first array is in the second",
    example: "arrayoverlap(ARRAY[1, 4], ARRAY[1, 2, 3])",
    shows: "true",
    overloads: &[Overload::new(&[ANYARRAY, ANYARRAY], BOOL, overlap)],
};

/// An array of no more elements is gone through for each that is looked for in it.
const FEW: usize = 16;

/// Whether all elements of one argument are in another.
fn contained(call: &Call<'_>, inner: usize, outer: usize) -> Result<ArrayRef> {
    compared(call, inner, outer, true)
}

fn overlap(call: &Call<'_>) -> Result<ArrayRef> {
    compared(call, 0, 1, false)
}

/// Whether all elements of one argument are in another, or one of them is.
fn compared(call: &Call<'_>, inner: usize, outer: usize, all: bool) -> Result<ArrayRef> {
    let (inner, outer) = (Lists::of(call.argument(inner)?)?, Lists::of(call.argument(outer)?)?);
    let among = Among::of(&inner.leaves, &outer.leaves)?;
    call.boolean_of(|row| {
        let (Some(inner), Some(outer)) = (inner.array(row), outer.array(row)) else { return Ok(None) };
        let is_one_few = inner.elements.len().min(outer.elements.len()) <= FEW;
        let told = match is_one_few {
            true => among.each(inner.elements, &outer.elements, all)?,
            false => among.in_set(inner.elements, outer.elements, all)?,
        };
        Ok(Some(told))
    })
}

/// Finds the elements of one column's arrays among those of another's, by their places.
struct Among {
    inner: ArrayRef,
    outer: ArrayRef,
    inner_nulls: Option<NullBuffer>,
    outer_nulls: Option<NullBuffer>,
    compare: DynComparator,
    /// Makes bytes of elements that are equal where these are; none if they are of a type that has none.
    keys: Option<RowConverter>,
}

impl Among {
    fn of(inner: &ArrayRef, outer: &ArrayRef) -> Result<Self> {
        let (inner, outer) = (comparable(inner), comparable(outer));
        let compare = comparing(&inner, &outer)?;
        let field = SortField::new(inner.data_type().clone());
        let has_keys = inner.data_type() == outer.data_type() && RowConverter::supports_fields(slice::from_ref(&field));
        let keys = has_keys.then(|| RowConverter::new(vec![field])).transpose().map_err(wrong)?;
        let (inner_nulls, outer_nulls) = (inner.logical_nulls(), outer.logical_nulls());
        Ok(Self { inner, outer, inner_nulls, outer_nulls, compare, keys })
    }

    /// Goes through one array for each element of the other.
    fn each(&self, inner: Range<usize>, outer: &Range<usize>, all: bool) -> Result<bool> {
        for element in inner {
            let is_in = is_valid(self.inner_nulls.as_ref(), element) && self.is_among(element, outer.clone())?;
            if is_in != all {
                return Ok(!all);
            }
        }
        Ok(all)
    }

    fn is_among(&self, element: usize, outer: Range<usize>) -> Result<bool> {
        for other in outer {
            step()?;
            if is_valid(self.outer_nulls.as_ref(), other) && (self.compare)(element, other).is_eq() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Looks for each element of one array in a set of the other's.
    fn in_set(&self, inner: Range<usize>, outer: Range<usize>, all: bool) -> Result<bool> {
        let Some(keys) = &self.keys else { return self.each(inner, &outer, all) };
        let keys_of = |elements: &ArrayRef, of: &Range<usize>| {
            steps(of.len())?;
            keys.convert_columns(&[elements.slice(of.start, of.len())]).map_err(wrong)
        };
        let (inner_keys, outer_keys) = (keys_of(&self.inner, &inner)?, keys_of(&self.outer, &outer)?);
        let mut set = HashSet::with_capacity(outer.len());
        for (at, key) in outer.zip(&outer_keys) {
            step()?;
            if is_valid(self.outer_nulls.as_ref(), at) {
                set.insert(key);
            }
        }
        for (at, key) in inner.zip(&inner_keys) {
            step()?;
            let is_in = is_valid(self.inner_nulls.as_ref(), at) && set.contains(&key);
            if is_in != all {
                return Ok(!all);
            }
        }
        Ok(all)
    }
}

fn is_valid(nulls: Option<&NullBuffer>, at: usize) -> bool {
    nulls.is_none_or(|nulls| nulls.is_valid(at))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, IntervalMonthDayNanoArray, StringArray};
    use arrow::datatypes::IntervalMonthDayNano;

    use super::*;
    use crate::interrupt::unwanted;

    /// Whether all elements are among others, and whether one is: in a set, and one by one.
    fn told(inner: ArrayRef, outer: ArrayRef) -> (bool, bool) {
        let among = Among::of(&inner, &outer).unwrap();
        let (elements, others) = (0..inner.len(), 0..outer.len());
        let told = |all: bool| {
            let in_set = among.in_set(elements.clone(), others.clone(), all).unwrap();
            assert_eq!(in_set, among.each(elements.clone(), &others, all).unwrap());
            in_set
        };
        (told(true), told(false))
    }

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn a_set_has_the_elements_that_are_equal() {
        let floats = |values: &[Option<f64>]| Arc::new(Float64Array::from(values.to_vec())) as ArrayRef;
        let zeros = floats(&[Some(-0.0), Some(-f64::NAN)]);
        assert_eq!(told(zeros, floats(&[Some(0.0), Some(f64::NAN), Some(1.0)])), (true, true));
        let with_null = floats(&[None, Some(1.0)]);
        assert_eq!(told(with_null.clone(), with_null), (false, true));
        assert_eq!(told(floats(&[None]), floats(&[None])), (false, false));
        assert_eq!(told(floats(&[]), floats(&[None])), (true, false));
        let texts = |values: &[&str]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
        assert_eq!(told(texts(&["a", "b", "a"]), texts(&["b", "a"])), (true, true));
        assert_eq!(told(texts(&["a", "c"]), texts(&["b", "a"])), (false, true));
        let span = |days: i32, hours: i64| IntervalMonthDayNano::new(0, days, hours * 3_600_000_000_000);
        let spans =
            |spans: &[IntervalMonthDayNano]| Arc::new(IntervalMonthDayNanoArray::from(spans.to_vec())) as ArrayRef;
        assert_eq!(told(spans(&[span(1, 0)]), spans(&[span(0, 24), span(2, 0)])), (true, true));
    }

    /// Symptom: a cancelled `&&` of long arrays went on for minutes. Cause: it tried each pair and asked nobody. Fix: a set,
    /// and what has none asks.
    #[test]
    fn long_arrays_are_looked_through_until_nobody_waits() {
        let texts = |prefix: &str| {
            Arc::new((0..100_000).map(|at| Some(format!("{prefix}{at}"))).collect::<StringArray>()) as ArrayRef
        };
        let (inner, outer) = (texts("a"), texts("b"));
        let among = Among::of(&inner, &outer).unwrap();
        assert!(!among.in_set(0..inner.len(), 0..outer.len(), false).unwrap());
        unwanted(|| {
            assert!(among.in_set(0..inner.len(), 0..outer.len(), false).is_err());
            assert!(among.each(0..inner.len(), &(0..outer.len()), false).is_err());
        });
    }
}
