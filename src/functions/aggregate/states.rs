//! What is kept of the rows of a group, and the accumulators of the query engine that keep it.

use std::{collections::VecDeque, fmt::Debug, slice};

use arrow::{
    array::{Array, ArrayRef, BooleanArray},
    buffer::NullBuffer,
    datatypes::DataType,
};
use datafusion::{
    common::{Result, ScalarValue, internal_err},
    logical_expr::{Accumulator, EmitTo, GroupsAccumulator},
};

/// What the rows of a group, those without a NULL among their arguments, come to so far; of none, the default.
pub(super) trait State: Clone + Debug + Default + Send + Sync + 'static {
    /// The values of the arguments.
    type Columns<'a>;

    /// Whether rows can be taken out again, of which no trace is left then.
    const RETRACTS: bool;

    fn columns(arguments: &[ArrayRef]) -> Result<Self::Columns<'_>>;

    fn add(&mut self, columns: &Self::Columns<'_>, row: usize) -> Result<()>;

    /// Takes a row out that was put in.
    fn remove(&mut self, _columns: &Self::Columns<'_>, _row: usize) -> Result<()> {
        internal_err!("rows of this aggregate are not taken out")
    }

    /// Adds what other rows come to.
    fn merge(&mut self, other: &Self) -> Result<()>;

    /// The columns in which it is kept between operators.
    fn fields() -> Vec<(&'static str, DataType)>;

    fn save(states: &[Self]) -> Vec<ArrayRef>;

    fn load(columns: &[ArrayRef]) -> Result<Vec<Self>>;
}

/// The results of groups, in a column of this type.
pub(super) type Finish<S> = fn(&[S], &DataType) -> Result<ArrayRef>;

/// The rows that count: those that the filter lets through and whose arguments are all known.
fn counted(arguments: &[ArrayRef], filter: Option<&BooleanArray>) -> Option<NullBuffer> {
    let known = arguments
        .iter()
        .fold(None, |known, argument| NullBuffer::union(known.as_ref(), argument.logical_nulls().as_ref()));
    let kept = filter.map(|filter| match filter.nulls() {
        Some(nulls) => NullBuffer::new(filter.values() & nulls.inner()),
        None => NullBuffer::new(filter.values().clone()),
    });
    NullBuffer::union(known.as_ref(), kept.as_ref()).filter(|counted| counted.null_count() > 0)
}

fn length(arguments: &[ArrayRef]) -> usize {
    arguments.first().map_or(0, |argument| argument.len())
}

/// Does something with each row that counts.
fn each(rows: usize, counted: Option<&NullBuffer>, work: impl FnMut(usize) -> Result<()>) -> Result<()> {
    match counted {
        None => (0..rows).try_for_each(work),
        Some(counted) => counted.valid_indices().try_for_each(work),
    }
}

/// The rows of one group.
#[derive(Debug)]
pub(super) struct Single<S> {
    state: S,
    finish: Finish<S>,
    result: DataType,
}

impl<S: State> Single<S> {
    pub(super) fn new(finish: Finish<S>, result: DataType) -> Self {
        Self { state: S::default(), finish, result }
    }
}

impl<S: State> Accumulator for Single<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let columns = S::columns(values)?;
        each(length(values), counted(values, None).as_ref(), |row| self.state.add(&columns, row))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let columns = S::columns(values)?;
        each(length(values), counted(values, None).as_ref(), |row| self.state.remove(&columns, row))
    }

    fn supports_retract_batch(&self) -> bool {
        S::RETRACTS
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let result = (self.finish)(slice::from_ref(&self.state), &self.result)?;
        ScalarValue::try_from_array(&result, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = S::save(slice::from_ref(&self.state));
        columns.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        S::load(states)?.iter().try_for_each(|state| self.state.merge(state))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// The rows of many groups.
#[derive(Debug)]
pub(super) struct Grouped<S> {
    states: Vec<S>,
    finish: Finish<S>,
    result: DataType,
}

impl<S: State> Grouped<S> {
    pub(super) fn new(finish: Finish<S>, result: DataType) -> Self {
        Self { states: Vec::new(), finish, result }
    }
}

impl<S: State> GroupsAccumulator for Grouped<S> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        self.states.resize(count, S::default());
        let columns = S::columns(values)?;
        let states = &mut self.states;
        each(groups.len(), counted(values, filter).as_ref(), |row| states[groups[row]].add(&columns, row))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        (self.finish)(&emit_to.take_needed(&mut self.states), &self.result)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(S::save(&emit_to.take_needed(&mut self.states)))
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        self.states.resize(count, S::default());
        let loaded = S::load(values)?;
        loaded.iter().zip(groups).try_for_each(|(state, group)| self.states[*group].merge(state))
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut states = vec![S::default(); length(values)];
        let columns = S::columns(values)?;
        each(states.len(), counted(values, filter).as_ref(), |row| states[row].add(&columns, row))?;
        Ok(S::save(&states))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.states.capacity() * size_of::<S>()
    }
}

/// The rows of a frame that moves, which are added up anew for each result, as PostgreSQL does: what is taken from a sum of
/// floats leaves a trace.
#[derive(Debug)]
pub(super) struct Framed<S> {
    parts: VecDeque<Vec<ArrayRef>>,
    finish: Finish<S>,
    result: DataType,
}

impl<S: State> Framed<S> {
    pub(super) fn new(finish: Finish<S>, result: DataType) -> Self {
        Self { parts: VecDeque::new(), finish, result }
    }
}

impl<S: State> Accumulator for Framed<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if length(values) > 0 {
            self.parts.push_back(values.to_vec());
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let mut gone = length(values);
        while gone > 0 {
            let Some(part) = self.parts.pop_front() else { break };
            let rows = length(&part);
            if rows > gone {
                self.parts.push_front(part.iter().map(|values| values.slice(gone, rows - gone)).collect());
            }
            gone = gone.saturating_sub(rows);
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        // A frame that moves is added up anew for each row.
        crate::interrupt::ask()?;
        let mut whole = Single::new(self.finish, self.result.clone());
        self.parts.iter().try_for_each(|part| whole.update_batch(part))?;
        whole.evaluate()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        internal_err!("a frame that moves is not merged")
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        internal_err!("a frame that moves is not merged")
    }

    fn size(&self) -> usize {
        let own = |values: &ArrayRef| values.to_data().get_slice_memory_size().unwrap_or(0);
        size_of_val(self) + self.parts.iter().flatten().map(own).sum::<usize>()
    }
}
