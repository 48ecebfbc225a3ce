//! Aggregates whose values or types are others in PostgreSQL than in the query engine.
//!
//! `stddev` and `variance` of integers and numerics are exact and numerics, those of doubles and the statistics of pairs have
//! PostgreSQL's digits, `sum` of reals is a real, `sum` and `avg` are there for intervals, and `string_agg` of bytes is bytes.
//! Where a group's rows are in several partitions, what each comes to is put together as it comes, and floats may differ in
//! their last digits, as PostgreSQL's do with parallel workers.

mod distinct;
mod extremes;
mod joined;
mod moments;
mod ordered;
mod states;
mod sums;
mod udf;
mod variance;

use datafusion::{
    functions_aggregate::{
        average::avg_udaf,
        correlation::corr_udaf,
        covariance::{covar_pop_udaf, covar_samp_udaf},
        min_max::{max_udaf, min_udaf},
        regr::{
            regr_avgx_udaf, regr_avgy_udaf, regr_count_udaf, regr_intercept_udaf, regr_r2_udaf, regr_slope_udaf,
            regr_sxx_udaf, regr_sxy_udaf, regr_syy_udaf,
        },
        stddev::{stddev_pop_udaf, stddev_udaf},
        sum::sum_udaf,
        variance::{var_pop_udaf, var_samp_udaf},
    },
    logical_expr::AggregateUDF,
};

use self::{
    extremes::Extreme,
    moments::{
        corr, covar_pop, covar_samp, regr_avgx, regr_avgy, regr_count, regr_intercept, regr_r2, regr_slope, regr_sxx,
        regr_sxy, regr_syy,
    },
    udf::{Aggregate, Kind},
};
pub(crate) use self::{joined::string_agg, ordered::ONE_OF_EQUALS};
use super::Function;

/// What aggregates of ordered sets are written with.
pub(super) const ROOM: &[&Function] =
    &[&ordered::PERCENTILE_CONT_OF, &ordered::PERCENTILE_DISC_OF, &ordered::MODE_OF, &ONE_OF_EQUALS];

/// All of them, in the places of the engine's.
pub(crate) fn aggregate_functions() -> impl Iterator<Item = AggregateUDF> {
    let all = [
        Aggregate::new(sum_udaf(), &[], Kind::Sum),
        Aggregate::new(avg_udaf(), &[], Kind::Average),
        Aggregate::new(
            stddev_udaf(),
            &[],
            Kind::Spread { of_doubles: moments::stddev_samp, of_numerics: variance::stddev_samp, is_root: true },
        ),
        Aggregate::new(
            stddev_pop_udaf(),
            &[],
            Kind::Spread { of_doubles: moments::stddev_pop, of_numerics: variance::stddev_pop, is_root: true },
        ),
        Aggregate::new(
            var_samp_udaf(),
            &["variance"],
            Kind::Spread { of_doubles: moments::var_samp, of_numerics: variance::var_samp, is_root: false },
        ),
        Aggregate::new(
            var_pop_udaf(),
            &[],
            Kind::Spread { of_doubles: moments::var_pop, of_numerics: variance::var_pop, is_root: false },
        ),
        Aggregate::new(covar_pop_udaf(), &[], Kind::Paired(covar_pop)),
        Aggregate::new(covar_samp_udaf(), &[], Kind::Paired(covar_samp)),
        Aggregate::new(corr_udaf(), &[], Kind::Paired(corr)),
        Aggregate::new(regr_slope_udaf(), &[], Kind::Paired(regr_slope)),
        Aggregate::new(regr_intercept_udaf(), &[], Kind::Paired(regr_intercept)),
        Aggregate::new(regr_r2_udaf(), &[], Kind::Paired(regr_r2)),
        Aggregate::new(regr_avgx_udaf(), &[], Kind::Paired(regr_avgx)),
        Aggregate::new(regr_avgy_udaf(), &[], Kind::Paired(regr_avgy)),
        Aggregate::new(regr_sxx_udaf(), &[], Kind::Paired(regr_sxx)),
        Aggregate::new(regr_syy_udaf(), &[], Kind::Paired(regr_syy)),
        Aggregate::new(regr_sxy_udaf(), &[], Kind::Paired(regr_sxy)),
        Aggregate::new(regr_count_udaf(), &[], Kind::PairCount(regr_count)),
    ];
    let extremes = [min_udaf(), max_udaf()].map(|inner| AggregateUDF::from(Extreme::new(inner)));
    all.into_iter().map(AggregateUDF::from).chain(extremes)
}

/// The same aggregate of values of which equal ones are one, as PostgreSQL tells them apart; none if it is none of ours.
pub(crate) fn of_distinct(function: &AggregateUDF) -> Option<AggregateUDF> {
    function.inner().downcast_ref::<Aggregate>().map(|own| AggregateUDF::from(own.distinct()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests;
