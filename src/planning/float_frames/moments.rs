//! How values lie about their mean, alone and in pairs, and the statistics of PostgreSQL that follow from that.
//!
//! Two sets of values are put together as by Chan, Golub and LeVeque ("Updating formulae and a pairwise algorithm for computing
//! sample variances", 1979), which never subtracts one sum of squares from another: no variance is negative, and that of equal
//! values is zero.

use arrow::{
    array::{ArrayRef, AsArray},
    datatypes::Float64Type,
};

use super::stacks::Part;

/// A statistic of a frame's values, `y` where there is one argument, `y` and `x` where there are two, and how many there are.
type Statistic = fn(Moments, usize) -> Option<f64>;

/// The statistics by the engine's names for them.
const STATISTICS: &[(&str, Statistic)] = &[
    ("var_pop", |m, count| over(m.yy, count, 0)),
    ("var", |m, count| over(m.yy, count, 1)),
    ("stddev_pop", |m, count| over(m.yy, count, 0).map(f64::sqrt)),
    ("stddev", |m, count| over(m.yy, count, 1).map(f64::sqrt)),
    ("covar_pop", |m, count| over(m.xy, count, 0)),
    ("covar_samp", |m, count| over(m.xy, count, 1)),
    ("corr", |m, count| (count > 0 && m.xx != 0.0 && m.yy != 0.0).then(|| m.xy / (m.xx * m.yy).sqrt())),
    ("regr_slope", |m, count| m.slope(count)),
    ("regr_intercept", |m, count| m.slope(count).map(|slope| m.y - slope * m.x)),
    ("regr_r2", |m, count| match m.yy == 0.0 {
        // A level line fits its points.
        true => m.slope(count).map(|_| 1.0),
        false => m.slope(count).map(|_| m.xy * m.xy / (m.xx * m.yy)),
    }),
    ("regr_avgx", |m, count| (count > 0).then_some(m.x)),
    ("regr_avgy", |m, count| (count > 0).then_some(m.y)),
    ("regr_sxx", |m, count| (count > 0).then_some(m.xx)),
    ("regr_syy", |m, count| (count > 0).then_some(m.yy)),
    ("regr_sxy", |m, count| (count > 0).then_some(m.xy)),
];

/// The statistic of a name, under which it is listed.
pub(super) fn statistic(name: &str) -> Option<(&'static str, Statistic)> {
    STATISTICS.iter().find(|(known, _)| *known == name).copied()
}

fn over(squares: f64, count: usize, fewer: usize) -> Option<f64> {
    (count > fewer).then(|| squares / (count - fewer) as f64)
}

/// How many values there are, their means, and the sums of the squares and of the products of their distances from these.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    count: f64,
    y: f64,
    x: f64,
    yy: f64,
    xx: f64,
    xy: f64,
}

impl Moments {
    fn of(y: f64, x: f64) -> Self {
        // What is not finite has no distance from a mean.
        let distance = |value: f64| if value.is_finite() { 0.0 } else { f64::NAN };
        let (yy, xx) = (distance(y), distance(x));
        Self { count: 1.0, y, x, yy, xx, xy: yy + xx }
    }

    /// Of the line through the points, unless it is upright.
    fn slope(&self, count: usize) -> Option<f64> {
        (count > 0 && self.xx != 0.0).then(|| self.xy / self.xx)
    }
}

impl Part for Moments {
    fn rows(arguments: &[ArrayRef]) -> Vec<Self> {
        let columns: Vec<_> = arguments.iter().map(|column| column.as_primitive::<Float64Type>()).collect();
        match columns.as_slice() {
            [y] => y.iter().flatten().map(|y| Self::of(y, 0.0)).collect(),
            [y, x] => y.iter().zip(x.iter()).filter_map(|(y, x)| Some(Self::of(y?, x?))).collect(),
            _ => Vec::new(),
        }
    }

    fn with(self, later: Self) -> Self {
        if self.count == 0.0 {
            return later;
        }
        if later.count == 0.0 {
            return self;
        }
        let count = self.count + later.count;
        let share = later.count / count;
        let pairs = self.count * later.count;
        let (y, x) = (later.y - self.y, later.x - self.x);
        Self {
            count,
            y: mean(self.y, later.y, share),
            x: mean(self.x, later.x, share),
            yy: self.yy + later.yy + y * y * pairs / count,
            xx: self.xx + later.xx + x * x * pairs / count,
            xy: self.xy + later.xy + y * x * pairs / count,
        }
    }

    fn is_overflow(&self) -> bool {
        // Where a value is not finite these are NaN.
        [self.yy, self.xx, self.xy].into_iter().any(f64::is_infinite)
    }
}

/// The mean of two sets of values, of which the later one has a share.
fn mean(mean: f64, later: f64, share: f64) -> f64 {
    match mean.is_finite() && later.is_finite() {
        true => mean + (later - mean) * share,
        false => mean + later,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::super::stacks::Stacks;
    use super::*;

    fn told(frame: &Stacks<Moments>, name: &str) -> Option<f64> {
        statistic(name).unwrap().1(frame.together(), frame.count())
    }

    #[test]
    fn what_leaves_a_frame_leaves_no_trace() {
        let mut frame = Stacks::new();
        for (y, x) in [(f64::INFINITY, 1e9), (0.1, 1.0), (0.3, 2.0), (0.3, 4.0), (0.3, 8.0)] {
            frame.push(Moments::of(y, x));
        }
        assert!(told(&frame, "var_pop").unwrap().is_nan());
        assert_eq!(told(&frame, "regr_avgy"), Some(f64::INFINITY));
        frame.pop();
        frame.pop();
        for (name, expected) in [
            ("var_pop", Some(0.0)),
            ("stddev", Some(0.0)),
            ("covar_samp", Some(0.0)),
            ("corr", None),
            ("regr_slope", Some(0.0)),
            ("regr_r2", Some(1.0)),
            ("regr_avgy", Some(0.3)),
            ("regr_syy", Some(0.0)),
        ] {
            assert_eq!(told(&frame, name), expected, "{name}");
        }
        frame.pop();
        frame.pop();
        assert_eq!(told(&frame, "var"), None);
        assert_eq!(told(&frame, "var_pop"), Some(0.0));
        frame.pop();
        assert_eq!(told(&frame, "var_pop"), None);
        assert_eq!(told(&frame, "regr_sxx"), None);
    }

    #[test]
    fn points_of_a_line_have_its_slope() {
        let mut frame = Stacks::new();
        for (y, x) in [(9e9, -3.0), (1.0, 0.0), (3.0, 1.0), (5.0, 2.0), (7.0, 3.0)] {
            frame.push(Moments::of(y, x));
        }
        frame.pop();
        for (name, expected) in [
            ("regr_slope", 2.0),
            ("regr_intercept", 1.0),
            ("regr_r2", 1.0),
            ("corr", 1.0),
            ("regr_sxx", 5.0),
            ("regr_sxy", 10.0),
            ("covar_pop", 2.5),
            ("var", 20.0 / 3.0),
        ] {
            let difference = told(&frame, name).unwrap() - expected;
            assert!(difference.abs() < 1e-12, "{name}: {difference}");
        }
    }

    #[test]
    fn squares_that_no_float_holds_are_an_overflow() {
        let wide = Moments::of(-1e200, 0.0).with(Moments::of(1e200, 1.0));
        assert!(wide.is_overflow());
        assert!(!wide.with(Moments::of(f64::INFINITY, f64::NAN)).is_overflow());
    }
}
