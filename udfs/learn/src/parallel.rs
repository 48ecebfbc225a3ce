//! Fixed work units on any number of threads.
//!
//! The caller cuts the work; how many threads there are decides only who does a unit, never what the unit holds or in
//! which order results come back. So a caller that reduces results in their order gets the same bits for any number of
//! threads. Nothing here knows what the work is.

use std::sync::{Mutex, PoisonError};

use crate::{Control, Error, Result};

/// Runs `work` on every input and returns the results in the order of the inputs.
///
/// Each thread makes one `scratch` and reuses it. The control is asked before each unit; after a stop or a failure no
/// further unit starts. Which of several errors is returned may depend on timing; which result is returned never does.
pub fn run<I, S, R>(
    threads: usize,
    inputs: Vec<I>,
    control: &dyn Control,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, I) -> Result<R> + Sync,
) -> Result<Vec<R>>
where
    I: Send,
    R: Send,
{
    let units = inputs.len();
    if threads.min(units) <= 1 {
        let mut own = scratch();
        return inputs.into_iter().map(|input| control.check().and_then(|()| work(&mut own, input))).collect();
    }
    let queue = Mutex::new(inputs.into_iter().enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let worker = || {
        let (mut own, mut done) = (scratch(), Vec::new());
        while let Some((unit, input)) = next() {
            match control.check().and_then(|()| work(&mut own, input)) {
                Ok(result) => done.push((unit, result)),
                Err(error) => {
                    while next().is_some() {}
                    return Err(error);
                }
            }
        }
        Ok(done)
    };
    let finished: Vec<Result<Vec<(usize, R)>>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads.min(units)).map(|_| scope.spawn(worker)).collect();
        handles.into_iter().map(|h| h.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    in_order(units, finished)
}

/// Runs `work` on the ranges that cut `0..length` every `unit`; see [`run`].
pub fn run_ranges<S, R: Send>(
    threads: usize,
    length: usize,
    unit: usize,
    control: &dyn Control,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, std::ops::Range<usize>) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let unit = unit.max(1);
    let ranges = (0..length).step_by(unit).map(|start| start..(start + unit).min(length)).collect();
    run(threads, ranges, control, scratch, work)
}

/// Puts what the threads finished back into the order of the units.
fn in_order<R>(units: usize, finished: Vec<Result<Vec<(usize, R)>>>) -> Result<Vec<R>> {
    let mut slots: Vec<Option<R>> = std::iter::repeat_with(|| None).take(units).collect();
    for done in finished {
        for (unit, result) in done? {
            slots[unit] = Some(result);
        }
    }
    let results: Vec<R> = slots.into_iter().flatten().collect();
    if results.len() == units { Ok(results) } else { Err(Error::Internal("a unit of work was lost".into())) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::control::Unattended;

    #[test]
    fn results_come_in_order_for_any_number_of_threads() {
        let expected: Vec<usize> = (0..100).map(|unit| unit * unit).collect();
        for threads in [0, 1, 2, 7, 200] {
            let results =
                run(threads, (0..100).collect(), &Unattended, || (), |(), unit: usize| Ok(unit * unit)).unwrap();
            assert_eq!(results, expected);
        }
    }

    #[test]
    fn ranges_cover_the_length_once() {
        let ranges = run_ranges(2, 10, 4, &Unattended, || (), |(), range| Ok(range)).unwrap();
        assert_eq!(ranges, [0..4, 4..8, 8..10]);
        let none = run_ranges(2, 0, 4, &Unattended, || (), |(), range| Ok(range)).unwrap();
        assert!(none.is_empty());
    }

    #[test]
    fn an_error_stops_the_rest() {
        for threads in [1, 3] {
            let done = std::sync::atomic::AtomicUsize::new(0);
            let error = run(
                threads,
                (0..10_000).collect(),
                &Unattended,
                || (),
                |(), unit: usize| {
                    done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if unit == 5 { Err(Error::Cancelled) } else { Ok(()) }
                },
            );
            assert_eq!(error, Err(Error::Cancelled));
            assert!(done.into_inner() <= 10_000);
        }
    }
}
