//! How doubles lie about their mean, alone and in pairs, and PostgreSQL's statistics of that.
//!
//! Each value moves the sum of the squares of all distances as in Youngs and Cramer ("Some results relevant to choice of sum and
//! sum-of-product algorithms", 1971), which PostgreSQL follows: the same values in the same order have the same last digit.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Float64Array, Int64Array},
    datatypes::{DataType, Float64Type, Int64Type},
};
use datafusion::common::Result;

use super::{
    states::State,
    sums::{column, overflow},
};

/// How many values there are, their sum, and the sum of the squares of their distances from the mean.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add_value(&mut self, value: f64) -> Result<()> {
        let before = *self;
        self.count += 1.0;
        self.sum += value;
        if before.count > 0.0 {
            let distance = value * self.count - self.sum;
            self.squares += distance * distance / (self.count * before.count);
            if self.sum.is_infinite() || self.squares.is_infinite() {
                if !before.sum.is_infinite() && !value.is_infinite() {
                    return Err(overflow().into());
                }
                self.squares = f64::NAN;
            }
        } else if !value.is_finite() {
            // It has no distance from any mean.
            self.squares = f64::NAN;
        }
        Ok(())
    }

    /// The variance with so many values fewer in the divisor.
    fn variance(&self, fewer: f64) -> Option<f64> {
        (self.count > fewer).then(|| self.squares / (self.count - fewer))
    }
}

impl State for Moments {
    type Columns<'a> = &'a Float64Array;

    const RETRACTS: bool = false;

    fn columns(arguments: &[ArrayRef]) -> Result<Self::Columns<'_>> {
        column::<Float64Type>(arguments, 0)
    }

    fn add(&mut self, columns: &Self::Columns<'_>, row: usize) -> Result<()> {
        self.add_value(columns.value(row))
    }

    fn merge(&mut self, other: &Self) -> Result<()> {
        if self.count == 0.0 || other.count == 0.0 {
            *self = if self.count == 0.0 { *other } else { *self };
            return Ok(());
        }
        let count = self.count + other.count;
        let sum = checked(self.sum + other.sum, &[self.sum, other.sum])?;
        let distance = self.sum / self.count - other.sum / other.count;
        let between = self.count * other.count * distance * distance / count;
        let squares = checked(self.squares + other.squares + between, &[self.squares, other.squares])?;
        *self = Self { count, sum, squares };
        Ok(())
    }

    fn fields() -> Vec<(&'static str, DataType)> {
        vec![("count", DataType::Float64), ("sum", DataType::Float64), ("squares", DataType::Float64)]
    }

    fn save(states: &[Self]) -> Vec<ArrayRef> {
        vec![
            doubles(states, |state| state.count),
            doubles(states, |state| state.sum),
            doubles(states, |state| state.squares),
        ]
    }

    fn load(columns: &[ArrayRef]) -> Result<Vec<Self>> {
        let (counts, sums) = (column::<Float64Type>(columns, 0)?, column::<Float64Type>(columns, 1)?);
        let squares = column::<Float64Type>(columns, 2)?;
        let state = |row: usize| Self { count: counts.value(row), sum: sums.value(row), squares: squares.value(row) };
        Ok((0..counts.values().len()).map(state).collect())
    }
}

/// A number that is infinite only if one of those is that it is made of.
fn checked(number: f64, parts: &[f64]) -> Result<f64> {
    if number.is_infinite() && !parts.iter().any(|part| part.is_infinite()) {
        return Err(overflow().into());
    }
    Ok(number)
}

fn doubles<S>(states: &[S], part: fn(&S) -> f64) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(states.iter().map(part)))
}

fn results<S>(states: &[S], result: impl Fn(&S) -> Option<f64>) -> Result<ArrayRef> {
    Ok(Arc::new(states.iter().map(result).collect::<Float64Array>()))
}

pub(super) fn var_pop(states: &[Moments], _result: &DataType) -> Result<ArrayRef> {
    results(states, |state| state.variance(0.0))
}

pub(super) fn var_samp(states: &[Moments], _result: &DataType) -> Result<ArrayRef> {
    results(states, |state| state.variance(1.0))
}

pub(super) fn stddev_pop(states: &[Moments], _result: &DataType) -> Result<ArrayRef> {
    results(states, |state| state.variance(0.0).map(f64::sqrt))
}

pub(super) fn stddev_samp(states: &[Moments], _result: &DataType) -> Result<ArrayRef> {
    results(states, |state| state.variance(1.0).map(f64::sqrt))
}

/// The same of pairs, of which the first number is `y`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pairs {
    count: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Pairs {
    fn add_pair(&mut self, y: f64, x: f64) -> Result<()> {
        let before = *self;
        self.count += 1.0;
        self.x += x;
        self.y += y;
        if before.count > 0.0 {
            let (distance_x, distance_y) = (x * self.count - self.x, y * self.count - self.y);
            let scale = 1.0 / (self.count * before.count);
            self.xx += distance_x * distance_x * scale;
            self.yy += distance_y * distance_y * scale;
            self.xy += distance_x * distance_y * scale;
            let (was_x, was_y) = (before.x.is_infinite() || x.is_infinite(), before.y.is_infinite() || y.is_infinite());
            let is_x = (self.x.is_infinite() || self.xx.is_infinite()) && !was_x;
            let is_y = (self.y.is_infinite() || self.yy.is_infinite()) && !was_y;
            if is_x || is_y || self.xy.is_infinite() && !was_x && !was_y {
                return Err(overflow().into());
            }
            for product in [&mut self.xx, &mut self.yy, &mut self.xy] {
                if product.is_infinite() {
                    *product = f64::NAN;
                }
            }
        } else {
            // What is not finite has no distance from any mean.
            if !x.is_finite() {
                (self.xx, self.xy) = (f64::NAN, f64::NAN);
            }
            if !y.is_finite() {
                (self.yy, self.xy) = (f64::NAN, f64::NAN);
            }
        }
        Ok(())
    }

    /// One of several pairs.
    fn of_any(&self, value: f64) -> Option<f64> {
        (self.count >= 1.0).then_some(value)
    }

    /// Of the line through the points, unless it is upright.
    fn of_line(&self, value: impl Fn() -> f64) -> Option<f64> {
        (self.count >= 1.0 && self.xx != 0.0).then(value)
    }
}

impl State for Pairs {
    type Columns<'a> = (&'a Float64Array, &'a Float64Array);

    const RETRACTS: bool = false;

    fn columns(arguments: &[ArrayRef]) -> Result<Self::Columns<'_>> {
        Ok((column::<Float64Type>(arguments, 0)?, column::<Float64Type>(arguments, 1)?))
    }

    fn add(&mut self, (y, x): &Self::Columns<'_>, row: usize) -> Result<()> {
        self.add_pair(y.value(row), x.value(row))
    }

    fn merge(&mut self, other: &Self) -> Result<()> {
        if self.count == 0.0 || other.count == 0.0 {
            *self = if self.count == 0.0 { *other } else { *self };
            return Ok(());
        }
        let count = self.count + other.count;
        let x = self.x / self.count - other.x / other.count;
        let y = self.y / self.count - other.y / other.count;
        let pairs = self.count * other.count;
        *self = Self {
            count,
            x: checked(self.x + other.x, &[self.x, other.x])?,
            y: checked(self.y + other.y, &[self.y, other.y])?,
            xx: checked(self.xx + other.xx + pairs * x * x / count, &[self.xx, other.xx])?,
            yy: checked(self.yy + other.yy + pairs * y * y / count, &[self.yy, other.yy])?,
            xy: checked(self.xy + other.xy + pairs * x * y / count, &[self.xy, other.xy])?,
        };
        Ok(())
    }

    fn fields() -> Vec<(&'static str, DataType)> {
        ["count", "x", "y", "xx", "yy", "xy"].map(|name| (name, DataType::Float64)).to_vec()
    }

    fn save(states: &[Self]) -> Vec<ArrayRef> {
        let parts: [fn(&Self) -> f64; 6] = [
            |state| state.count,
            |state| state.x,
            |state| state.y,
            |state| state.xx,
            |state| state.yy,
            |state| state.xy,
        ];
        parts.map(|part| doubles(states, part)).to_vec()
    }

    fn load(columns: &[ArrayRef]) -> Result<Vec<Self>> {
        let part = |at: usize| column::<Float64Type>(columns, at);
        let (count, x, y, xx, yy, xy) = (part(0)?, part(1)?, part(2)?, part(3)?, part(4)?, part(5)?);
        let state = |row: usize| Self {
            count: count.value(row),
            x: x.value(row),
            y: y.value(row),
            xx: xx.value(row),
            yy: yy.value(row),
            xy: xy.value(row),
        };
        Ok((0..count.values().len()).map(state).collect())
    }
}

/// Makes a statistic of each line.
macro_rules! statistics {
    ($($name:ident $of:expr;)*) => {
        $(
            pub(super) fn $name(states: &[Pairs], _result: &DataType) -> Result<ArrayRef> {
                results(states, $of)
            }
        )*
    };
}

statistics! {
    covar_pop |pairs: &Pairs| pairs.of_any(pairs.xy / pairs.count);
    covar_samp |pairs: &Pairs| (pairs.count > 1.0).then(|| pairs.xy / (pairs.count - 1.0));
    corr |pairs: &Pairs| {
        let is_level = pairs.xx == 0.0 || pairs.yy == 0.0;
        pairs.of_any(pairs.xy / (pairs.xx * pairs.yy).sqrt()).filter(|_| !is_level)
    };
    regr_slope |pairs: &Pairs| pairs.of_line(|| pairs.xy / pairs.xx);
    regr_intercept |pairs: &Pairs| pairs.of_line(|| (pairs.y - pairs.x * pairs.xy / pairs.xx) / pairs.count);
    // A level line fits its points.
    regr_r2 |pairs: &Pairs| pairs.of_line(|| match pairs.yy == 0.0 {
        true => 1.0,
        false => (pairs.xy * pairs.xy) / (pairs.xx * pairs.yy),
    });
    regr_avgx |pairs: &Pairs| pairs.of_any(pairs.x / pairs.count);
    regr_avgy |pairs: &Pairs| pairs.of_any(pairs.y / pairs.count);
    regr_sxx |pairs: &Pairs| pairs.of_any(pairs.xx);
    regr_syy |pairs: &Pairs| pairs.of_any(pairs.yy);
    regr_sxy |pairs: &Pairs| pairs.of_any(pairs.xy);
}

/// How many pairs there are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PairCount(i64);

impl State for PairCount {
    type Columns<'a> = ();

    const RETRACTS: bool = true;

    fn columns(_arguments: &[ArrayRef]) -> Result<Self::Columns<'_>> {
        Ok(())
    }

    fn add(&mut self, _columns: &Self::Columns<'_>, _row: usize) -> Result<()> {
        self.0 += 1;
        Ok(())
    }

    fn remove(&mut self, _columns: &Self::Columns<'_>, _row: usize) -> Result<()> {
        self.0 -= 1;
        Ok(())
    }

    fn merge(&mut self, other: &Self) -> Result<()> {
        self.0 += other.0;
        Ok(())
    }

    fn fields() -> Vec<(&'static str, DataType)> {
        vec![("count", DataType::Int64)]
    }

    fn save(states: &[Self]) -> Vec<ArrayRef> {
        vec![Arc::new(Int64Array::from_iter_values(states.iter().map(|state| state.0)))]
    }

    fn load(columns: &[ArrayRef]) -> Result<Vec<Self>> {
        Ok(column::<Int64Type>(columns, 0)?.values().iter().map(|count| Self(*count)).collect())
    }
}

pub(super) fn regr_count(states: &[PairCount], _result: &DataType) -> Result<ArrayRef> {
    Ok(Arc::new(Int64Array::from_iter_values(states.iter().map(|state| state.0))))
}
