//! Aggregates as the query engine calls them: ours where PostgreSQL computes otherwise, the engine's own for other types.

use std::{
    fmt::Debug,
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, IntervalUnit};
use datafusion::{
    common::{Result, ScalarValue, not_impl_err},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, Expr, GroupsAccumulator, Operator, ReversedUDAF,
        SetMonotonicity, Signature, StatisticsArgs, Volatility,
        expr::AggregateFunction,
        function::{AccumulatorArgs, StateFieldsArgs},
        type_coercion::functions::fields_with_udf,
        utils::{AggregateOrderSensitivity, format_state_name},
    },
};

use super::{
    distinct::{self, Distinct},
    moments::{Moments, PairCount, Pairs},
    states::{Finish, Framed, Grouped, Single, State},
    sums::{double_averages, double_sums, real_sums, span_averages, span_sums},
    variance::{self, Squares},
};
use crate::fault::{Failure, Fault};

const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

/// What an aggregate comes to.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Sum,
    Average,
    /// How values lie about their mean, or the root of it.
    Spread {
        of_doubles: Finish<Moments>,
        of_numerics: Finish<Squares>,
        is_root: bool,
    },
    /// A statistic of pairs of doubles.
    Paired(Finish<Pairs>),
    PairCount(Finish<PairCount>),
}

/// How it is computed of arguments of some types.
trait Computed {
    fn fields(&self) -> Vec<(&'static str, DataType)>;
    fn single(&self) -> Box<dyn Accumulator>;
    fn sliding(&self) -> Box<dyn Accumulator>;
    fn grouped(&self) -> Box<dyn GroupsAccumulator>;
    fn distinct(&self, values: DataType) -> Box<dyn Accumulator>;
}

struct Of<S> {
    finish: Finish<S>,
    result: DataType,
}

impl<S: State> Computed for Of<S> {
    fn fields(&self) -> Vec<(&'static str, DataType)> {
        S::fields()
    }

    fn single(&self) -> Box<dyn Accumulator> {
        Box::new(Single::new(self.finish, self.result.clone()))
    }

    fn sliding(&self) -> Box<dyn Accumulator> {
        if S::RETRACTS { self.single() } else { Box::new(Framed::new(self.finish, self.result.clone())) }
    }

    fn grouped(&self) -> Box<dyn GroupsAccumulator> {
        Box::new(Grouped::new(self.finish, self.result.clone()))
    }

    fn distinct(&self, values: DataType) -> Box<dyn Accumulator> {
        Box::new(Distinct::new(values, self.finish, self.result.clone()))
    }
}

fn of<S: State>(finish: Finish<S>, result: DataType) -> Option<(Box<dyn Computed>, DataType)> {
    Some((Box::new(Of { finish, result: result.clone() }), result))
}

/// The engine's own aggregate, where ours does not take its place.
pub(super) struct Aggregate {
    inner: Arc<AggregateUDF>,
    aliases: Vec<String>,
    kind: Kind,
    /// Whether it takes one of equal values, though the call does not say so any more.
    is_distinct: bool,
    signature: Signature,
}

impl Aggregate {
    /// In the place of an aggregate of the engine's, under its names and more.
    pub(super) fn new(inner: Arc<AggregateUDF>, more: &[&str], kind: Kind) -> Self {
        let aliases = inner.aliases().iter().cloned().chain(more.iter().map(|name| (*name).to_owned())).collect();
        let signature = Signature::user_defined(Volatility::Immutable);
        Self { inner, aliases, kind, is_distinct: false, signature }
    }

    /// The same of values that are told apart as PostgreSQL does.
    pub(super) fn distinct(&self) -> Self {
        let (inner, aliases) = (Arc::clone(&self.inner), self.aliases.clone());
        Self { inner, aliases, kind: self.kind, is_distinct: true, signature: self.signature.clone() }
    }

    /// How it is computed of arguments of these types, and the type of what it comes to; none where the engine computes it.
    fn computed(&self, types: &[DataType]) -> Option<(Box<dyn Computed>, DataType)> {
        match (self.kind, types) {
            (Kind::Sum, [DataType::Float64]) => of(double_sums, DataType::Float64),
            (Kind::Sum, [DataType::Float32]) => of(real_sums, DataType::Float32),
            (Kind::Sum, [values]) if is_span(values) => of(span_sums, INTERVAL),
            (Kind::Average, [DataType::Float64]) => of(double_averages, DataType::Float64),
            (Kind::Average, [values]) if is_span(values) => of(span_averages, INTERVAL),
            (Kind::Sum | Kind::Average, _) => None,
            (Kind::Spread { of_doubles, .. }, [DataType::Float64]) => of(of_doubles, DataType::Float64),
            (Kind::Spread { of_numerics, is_root, .. }, [values]) => {
                of(of_numerics, variance::spread_of(values, is_root))
            }
            (Kind::Spread { .. }, _) => None,
            (Kind::Paired(finish), _) => of(finish, DataType::Float64),
            (Kind::PairCount(finish), _) => of(finish, DataType::Int64),
        }
    }

    fn of_fields(&self, fields: &[FieldRef]) -> Option<(Box<dyn Computed>, DataType)> {
        let types: Vec<DataType> = fields.iter().map(|field| field.data_type().clone()).collect();
        self.computed(&types)
    }

    fn takes_none(&self, types: &[DataType]) -> Failure {
        let types: Vec<String> = types.iter().map(crate::pgtype::type_name).collect();
        let message = format!("function {}({}) does not exist", self.name(), types.join(", "));
        Failure::new(Fault::UndefinedFunction, message)
    }
}

/// What an aggregate of the engine's own makes of arguments.
pub(super) fn inner_types(inner: &AggregateUDF, types: &[DataType]) -> Result<Vec<DataType>> {
    let field = |own: &DataType| Arc::new(Field::new(inner.name(), own.clone(), true));
    let fields: Vec<FieldRef> = types.iter().map(field).collect();
    let taken = fields_with_udf(&fields, inner)?;
    Ok(taken.iter().map(|field| field.data_type().clone()).collect())
}

/// Whether what is summed is an interval, or a time of day, which is made one when types are settled.
fn is_span(values: &DataType) -> bool {
    *values == INTERVAL || matches!(values, DataType::Time64(_))
}

/// What a number becomes whose variance is asked for; none of what is no number.
fn number(own: &DataType) -> Option<DataType> {
    Some(match own {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => DataType::Float64,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => own.clone(),
        DataType::UInt8 | DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, (*scale).max(0))
        }
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) if *scale >= 0 => own.clone(),
        DataType::Decimal128(..) | DataType::Decimal256(..) => DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0),
        _ => return None,
    })
}

impl Debug for Aggregate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Aggregate").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl PartialEq for Aggregate {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.is_distinct == other.is_distinct
    }
}

impl Eq for Aggregate {}

impl Hash for Aggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
        self.is_distinct.hash(state);
    }
}

impl AggregateUDFImpl for Aggregate {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let is_number = |own: &DataType| own.is_null() || number(own).is_some();
        match (self.kind, types) {
            (Kind::Sum, [DataType::Float32]) => Ok(types.to_vec()),
            (Kind::Sum | Kind::Average, [DataType::Interval(_) | DataType::Duration(_)]) => Ok(vec![INTERVAL]),
            (Kind::Sum | Kind::Average, [DataType::Time64(_)]) => Ok(types.to_vec()),
            (Kind::Sum | Kind::Average, _) => inner_types(&self.inner, types),
            (Kind::Spread { .. }, [value]) => match number(value) {
                Some(number) => Ok(vec![number]),
                None => Err(self.takes_none(types).into()),
            },
            (Kind::Paired(_) | Kind::PairCount(_), [y, x]) if is_number(y) && is_number(x) => {
                Ok(vec![DataType::Float64, DataType::Float64])
            }
            _ => Err(self.takes_none(types).into()),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match self.computed(types) {
            Some((_, result)) => Ok(result),
            None => self.inner.return_type(types),
        }
    }

    fn is_nullable(&self) -> bool {
        !matches!(self.kind, Kind::PairCount(_))
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let Some((computed, _)) = self.of_fields(arguments.expr_fields) else {
            return self.inner.accumulator(arguments);
        };
        if !arguments.is_distinct && !self.is_distinct {
            return Ok(computed.single());
        }
        match arguments.expr_fields {
            [values] => Ok(computed.distinct(values.data_type().clone())),
            _ => not_impl_err!("{}(DISTINCT …) of several arguments is not supported", self.name()),
        }
    }

    fn create_sliding_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match self.of_fields(arguments.expr_fields) {
            Some(_) if arguments.is_distinct || self.is_distinct => {
                not_impl_err!("DISTINCT is not implemented for window functions")
            }
            Some((computed, _)) => Ok(computed.sliding()),
            None => self.inner.create_sliding_accumulator(arguments),
        }
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let Some((computed, _)) = self.of_fields(arguments.input_fields) else {
            return self.inner.state_fields(arguments);
        };
        let fields = match (arguments.is_distinct || self.is_distinct, arguments.input_fields) {
            (false, _) => computed.fields(),
            (true, [values]) => vec![distinct::field(values.data_type())],
            (true, _) => return not_impl_err!("{}(DISTINCT …) of several arguments is not supported", self.name()),
        };
        let named = |(name, own): (&str, DataType)| -> FieldRef {
            Arc::new(Field::new(format_state_name(arguments.name, name), own, true))
        };
        Ok(fields.into_iter().map(named).collect())
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs<'_>) -> bool {
        match self.of_fields(arguments.expr_fields) {
            Some(_) => !arguments.is_distinct && !self.is_distinct,
            None => self.inner.groups_accumulator_supported(arguments),
        }
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        match self.of_fields(arguments.expr_fields) {
            Some((computed, _)) => Ok(computed.grouped()),
            None => self.inner.create_groups_accumulator(arguments),
        }
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn simplify_expr_op_literal(
        &self,
        call: &AggregateFunction,
        argument: &Expr,
        op: Operator,
        literal: &Expr,
        is_left: bool,
    ) -> Result<Option<Expr>> {
        self.inner.inner().simplify_expr_op_literal(call, argument, op, literal, is_left)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        match self.inner.reverse_udf() {
            // The same rows in another order.
            ReversedUDAF::Identical => ReversedUDAF::Identical,
            _ => ReversedUDAF::NotSupported,
        }
    }

    fn value_from_stats(&self, arguments: &StatisticsArgs<'_>) -> Option<ScalarValue> {
        self.inner.value_from_stats(arguments)
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        match self.kind {
            Kind::PairCount(_) => Ok(ScalarValue::Int64(Some(0))),
            _ => ScalarValue::try_from(data_type),
        }
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.inner.inner().set_monotonicity(data_type)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
