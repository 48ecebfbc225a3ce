//! Aggregates of distinct values, which take one of those that are equal, in their order.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, UInt32Array},
    compute::{concat, take},
    datatypes::{DataType, Field},
};
use datafusion::{
    common::{Result, ScalarValue, exec_datafusion_err, internal_err, utils::SingleRowListArrayBuilder},
    logical_expr::Accumulator,
};

use super::states::{Finish, Single, State};
use crate::functions::array::comparing;

/// So many values are looked through at once, at least.
const AT_ONCE: usize = 8_192;

/// The distinct values of one group.
#[derive(Debug)]
pub(super) struct Distinct<S> {
    /// All, of which the first column is without equals once they were put together.
    values: Vec<ArrayRef>,
    /// How many came since.
    pending: usize,
    of: DataType,
    finish: Finish<S>,
    result: DataType,
}

impl<S: State> Distinct<S> {
    /// Of values of a type.
    pub(super) fn new(of: DataType, finish: Finish<S>, result: DataType) -> Self {
        Self { values: Vec::new(), pending: 0, of, finish, result }
    }

    fn take(&mut self, values: &ArrayRef) -> Result<()> {
        self.pending += values.len();
        // A group's rows are a part of a batch, all of which would be kept, and counted, by each of its groups.
        let count = u32::try_from(values.len()).map_err(|_| exec_datafusion_err!("a group has too many values"))?;
        self.values.push(take(values, &UInt32Array::from_iter_values(0..count), None)?);
        let known = self.values.first().map_or(0, |known| known.len());
        if self.pending > known.max(AT_ONCE) {
            self.compact()?;
        }
        Ok(())
    }

    fn compact(&mut self) -> Result<Option<&ArrayRef>> {
        if self.pending > 0 {
            let parts: Vec<&dyn Array> = self.values.iter().map(AsRef::as_ref).collect();
            let all = concat(&parts)?;
            self.values = vec![one_of_equals(&all)?];
            self.pending = 0;
        }
        Ok(self.values.first())
    }
}

/// The first of the values that are equal, in their order; none for those that are NULL.
fn one_of_equals(values: &ArrayRef) -> Result<ArrayRef> {
    let compare = comparing(values, values)?;
    let count = u32::try_from(values.len());
    let Ok(count) = count else { return internal_err!("an aggregate has too many distinct values") };
    let at = |place: &u32| usize::try_from(*place).unwrap_or(usize::MAX);
    let mut places: Vec<u32> = (0..count).filter(|place| values.is_valid(at(place))).collect();
    places.sort_by(|one, other| compare(at(one), at(other)));
    places.dedup_by(|one, other| compare(at(one), at(other)).is_eq());
    Ok(take(values, &UInt32Array::from(places), None)?)
}

impl<S: State> Accumulator for Distinct<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        match values {
            [values] => self.take(values),
            _ => internal_err!("an aggregate of distinct values has one argument"),
        }
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut whole = Single::new(self.finish, self.result.clone());
        if let Some(values) = self.compact()? {
            whole.update_batch(&[Arc::clone(values)])?;
        }
        whole.evaluate()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (_, kept) = field(&self.of);
        Ok(vec![match self.compact()? {
            Some(values) => SingleRowListArrayBuilder::new(Arc::clone(values)).build_list_scalar(),
            None => ScalarValue::try_from(&kept)?,
        }])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(lists) = states.first().and_then(|lists| lists.as_list_opt::<i32>()) else {
            return internal_err!("distinct values are kept in lists");
        };
        lists.iter().flatten().try_for_each(|values| self.take(&values))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.iter().map(|values| values.get_array_memory_size()).sum::<usize>()
    }
}

/// The column in which distinct values are kept between operators.
pub(super) fn field(values: &DataType) -> (&'static str, DataType) {
    ("distinct", DataType::List(Arc::new(Field::new_list_field(values.clone(), true))))
}
