//! `array_position` and `array_positions`: where an element is. NULL is where NULL is.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, Int32Array};

use super::lists::{Builder, Lists, comparing};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    interrupt::step,
    pgtype::{ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, INT4, INT4_ARRAY},
};

pub(super) static ARRAY_POSITION: Function = Function {
    name: "array_position",
    purpose: "The first place of an element in the array, from that of the third argument on",
    example: "array_position(ARRAY['a', 'b', 'a'], 'a', 2)",
    shows: "3",
    overloads: &[
        Overload::new(&[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE], INT4, position).called_on_null(),
        Overload::new(&[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE, INT4], INT4, position).called_on_null(),
    ],
};

pub(super) static ARRAY_POSITIONS: Function = Function {
    name: "array_positions",
    purpose: "All places of an element in the array",
    example: "array_positions(ARRAY['a', 'b', 'a'], 'a')",
    shows: "{1,3}",
    overloads: &[Overload::new(&[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE], INT4_ARRAY, positions).called_on_null()],
};

/// Finds an element in the array of each row.
struct Finding {
    lists: Lists,
    equals: Box<dyn Fn(usize, usize) -> bool>,
}

impl Finding {
    fn of(call: &Call<'_>) -> Result<Self> {
        let lists = Lists::of(call.argument(0)?)?;
        let compare = comparing(&lists.leaves, call.argument(1)?)?;
        Ok(Self { lists, equals: Box::new(move |element, row| compare(element, row).is_eq()) })
    }

    /// The places of what a row looks for, from 0 on; none where its array is NULL.
    fn places(&self, row: usize) -> Result<Option<impl Iterator<Item = Result<usize>>>> {
        let Some(array) = self.lists.array(row) else { return Ok(None) };
        if array.dimensions.len() > 1 {
            let message = "searching for elements in multidimensional arrays is not supported";
            return Err(Failure::new(Fault::FeatureNotSupported, message));
        }
        let found = move |(place, element): (usize, usize)| match step() {
            Ok(()) => (self.equals)(element, row).then_some(Ok(place)),
            Err(stopped) => Some(Err(stopped)),
        };
        Ok(Some(array.elements.enumerate().filter_map(found)))
    }
}

fn position(call: &Call<'_>) -> Result<ArrayRef> {
    let finding = Finding::of(call)?;
    let starts = if call.len() > 2 { Some(call.int4s(2)?) } else { None };
    call.int4_of(|row| {
        let Some(mut places) = finding.places(row)? else { return Ok(None) };
        let first = match starts {
            Some(starts) if starts.is_null(row) => {
                // Where NULL is looked for and there is none, nobody asks from where on.
                if call.is_null(1, row) && places.next().transpose()?.is_none() {
                    return Ok(None);
                }
                return Err(Failure::new(Fault::NullNotAllowed, "initial position must not be null"));
            }
            Some(starts) => starts.value(row),
            None => 1,
        };
        for place in places {
            let place = i32::try_from(place? + 1).ok();
            if place.is_some_and(|place| place >= first) {
                return Ok(place);
            }
        }
        Ok(None)
    })
}

fn positions(call: &Call<'_>) -> Result<ArrayRef> {
    let finding = Finding::of(call)?;
    let mut builder = Builder::new(call.result());
    let mut longest = 0;
    for row in 0..call.rows() {
        match finding.places(row)? {
            None => builder.push_null(),
            Some(places) => {
                let places = places.collect::<Result<Vec<usize>>>()?;
                longest = longest.max(places.last().map_or(0, |last| last + 1));
                builder.push(vec![places.len()], places.into_iter().map(|place| (0, place)))?;
            }
        }
    }
    let numbers: Int32Array = (0..longest).map(|place| i32::try_from(place + 1).ok()).collect();
    let numbers: ArrayRef = Arc::new(numbers);
    builder.finish(&[&numbers])
}
