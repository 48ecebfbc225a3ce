//! What a frame's values come to together, where values come at its end and go at its start.
//!
//! Nothing is taken back out of what others are in. Older values are kept in a stack, each with what it and those behind it
//! come to, and newer ones in another, which is turned over when the first is empty: each value is added twice at most.

use std::fmt::Debug;

use arrow::{array::ArrayRef, error::ArrowError};
use datafusion::{
    common::{Result, ScalarValue, internal_err},
    logical_expr::Accumulator,
};

use crate::interrupt::step;

/// What some values come to; of none, the default.
pub(super) trait Part: Copy + Debug + Default + Send + Sync + 'static {
    /// Each row that counts.
    fn rows(arguments: &[ArrayRef]) -> Vec<Self>;

    /// Of these values and of `later` ones.
    fn with(self, later: Self) -> Self;

    /// Whether numbers came to more than a float holds.
    fn is_overflow(&self) -> bool {
        false
    }
}

/// The values of a frame.
#[derive(Debug)]
pub(super) struct Stacks<P> {
    /// What each of the older values and those behind it come to, the last value first.
    older: Vec<P>,
    newer: Vec<P>,
    newer_together: P,
}

impl<P: Part> Stacks<P> {
    pub(super) fn new() -> Self {
        Self { older: Vec::new(), newer: Vec::new(), newer_together: P::default() }
    }

    pub(super) fn push(&mut self, value: P) {
        self.newer.push(value);
        self.newer_together = self.newer_together.with(value);
    }

    pub(super) fn pop(&mut self) {
        if self.older.is_empty() {
            let mut together = P::default();
            while let Some(value) = self.newer.pop() {
                together = value.with(together);
                self.older.push(together);
            }
            self.newer_together = P::default();
        }
        self.older.pop();
    }

    pub(super) fn count(&self) -> usize {
        self.older.len() + self.newer.len()
    }

    pub(super) fn together(&self) -> P {
        self.older.last().copied().unwrap_or_default().with(self.newer_together)
    }
}

/// An aggregate of the values of a frame, by what they come to and how many there are.
#[derive(Debug)]
pub(super) struct InStacks<P> {
    stacks: Stacks<P>,
    result: fn(P, usize) -> Option<f64>,
}

impl<P: Part> InStacks<P> {
    pub(super) fn new(result: fn(P, usize) -> Option<f64>) -> Self {
        Self { stacks: Stacks::new(), result }
    }
}

impl<P: Part> Accumulator for InStacks<P> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        P::rows(values).into_iter().for_each(|value| self.stacks.push(value));
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        P::rows(values).into_iter().for_each(|_| self.stacks.pop());
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        step()?;
        let together = self.stacks.together();
        if together.is_overflow() {
            return Err(ArrowError::ArithmeticOverflow("value out of range: overflow".to_owned()).into());
        }
        Ok(ScalarValue::Float64((self.result)(together, self.stacks.count())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + (self.stacks.older.capacity() + self.stacks.newer.capacity()) * size_of::<P>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        internal_err!("an aggregate of a frame is not computed in parts")
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        internal_err!("an aggregate of a frame is not computed in parts")
    }
}
