//! Aggregates over frames that move.
//!
//! The engine asks an aggregate over `ROWS BETWEEN 1 PRECEDING AND CURRENT ROW` to forget the rows that leave the frame, and
//! refuses it where it cannot: `bool_and` and `bit_and` keep no count, `string_agg` no start. Here they can; and two calls of
//! `string_agg` may have different orders.

use std::{collections::VecDeque, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray},
    compute::{cast, concat},
    datatypes::{DataType, FieldRef, Int64Type, Schema},
};
use datafusion::{
    common::{Result, ScalarValue},
    functions_aggregate::{
        array_agg::array_agg_udaf,
        bit_and_or_xor::{bit_and_udaf, bit_or_udaf},
        bool_and_or::{bool_and_udaf, bool_or_udaf},
    },
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, SetMonotonicity, Signature,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::AggregateOrderSensitivity,
    },
    physical_expr::{PhysicalExpr, PhysicalSortExpr},
};

use crate::{functions::string_agg, interrupt::ask, pgtype::told};

/// The aggregates that could not forget.
pub(super) fn all() -> Vec<AggregateUDF> {
    let kinds = [
        (bool_and_udaf(), Kind::All),
        (bool_or_udaf(), Kind::Any),
        (bit_and_udaf(), Kind::All),
        (bit_or_udaf(), Kind::Any),
        (string_agg(), Kind::Recomputed),
        (array_agg_udaf(), Kind::InOrder),
    ];
    let sliding = kinds.map(|(inner, kind)| {
        // The standard's name for it.
        let own = if inner.name() == "bool_and" { &["every"][..] } else { &[] };
        let aliases = inner.aliases().iter().cloned().chain(own.iter().map(|name| (*name).to_owned())).collect();
        AggregateUDF::from(Sliding { inner, kind, aliases })
    });
    sliding.into()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// A bit is set if it is set in all values.
    All,
    /// A bit is set if it is set in any value.
    Any,
    /// The frame's values are kept, and aggregated again for each row.
    Recomputed,
    /// The engine's own, which must not be given its rows from the end.
    InOrder,
}

/// The engine's own aggregate, but for moving frames.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Sliding {
    inner: Arc<AggregateUDF>,
    kind: Kind,
    aliases: Vec<String>,
}

impl AggregateUDFImpl for Sliding {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        let field = self.inner.return_field(fields)?;
        let item = fields.first().filter(|_| self.kind == Kind::InOrder).and_then(|argument| told(argument));
        // What Arrow does not tell of the elements, the field of the array says.
        Ok(match item.and_then(|item| item.in_arrays().unmodified()) {
            Some(arrays) => Arc::new(field.as_ref().clone().with_metadata(arrays.metadata())),
            None => field,
        })
    }

    fn is_nullable(&self) -> bool {
        self.inner.is_nullable()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.inner.accumulator(arguments)
    }

    fn create_sliding_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(match self.kind {
            Kind::InOrder => self.inner.create_sliding_accumulator(arguments)?,
            Kind::Recomputed => Box::new(Frame {
                function: Arc::clone(&self.inner),
                arguments: Arguments::of(&arguments),
                values: VecDeque::new(),
            }),
            kind => Box::new(Bits {
                kind,
                data_type: arguments.return_type().clone(),
                set: [0; i64::BITS as usize],
                known: 0,
            }),
        })
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.inner.state_fields(arguments)
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs<'_>) -> bool {
        self.inner.groups_accumulator_supported(arguments)
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        self.inner.create_groups_accumulator(arguments)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        match self.kind {
            // It sorts what it gets, so that two of them may want other orders.
            Kind::Recomputed => AggregateOrderSensitivity::SoftRequirement,
            _ => self.inner.order_sensitivity(),
        }
    }

    fn with_beneficial_ordering(self: Arc<Self>, sorted: bool) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        Ok(match self.kind {
            // The engine promises rows in the order that is the reverse of the one that is wanted, too.
            Kind::Recomputed | Kind::InOrder => Some(self as Arc<dyn AggregateUDFImpl>),
            kind => Arc::clone(self.inner.inner()).with_beneficial_ordering(sorted)?.map(|inner| {
                let inner = Arc::new(AggregateUDF::new_from_shared_impl(inner));
                Arc::new(Self { inner, kind, aliases: self.aliases.clone() }) as Arc<dyn AggregateUDFImpl>
            }),
        })
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        // What joins values in their order would join them the wrong way round.
        if matches!(self.kind, Kind::Recomputed | Kind::InOrder) {
            return ReversedUDAF::NotSupported;
        }
        match self.inner.reverse_udf() {
            ReversedUDAF::Reversed(inner) => ReversedUDAF::Reversed(Arc::new(AggregateUDF::from(Self {
                inner,
                kind: self.kind,
                aliases: self.aliases.clone(),
            }))),
            other => other,
        }
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.inner.default_value(data_type)
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.inner.supports_null_handling_clause()
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.inner.inner().set_monotonicity(data_type)
    }
}

/// How many of the frame's values have each bit; a truth value is one bit.
#[derive(Debug)]
struct Bits {
    kind: Kind,
    data_type: DataType,
    set: [u64; i64::BITS as usize],
    /// How many are not NULL.
    known: u64,
}

impl Bits {
    fn each(&mut self, values: &ArrayRef, count: impl Fn(&mut u64)) -> Result<()> {
        // Numbers without a sign keep their bits; those above 2^63 do not fit and are counted by their bits as well.
        let whole = match values.data_type() {
            DataType::UInt64 => {
                let bits = values.as_primitive::<arrow::datatypes::UInt64Type>();
                Arc::new(bits.unary::<_, Int64Type>(u64::cast_signed)) as ArrayRef
            }
            _ => cast(values, &DataType::Int64)?,
        };
        for value in whole.as_primitive::<Int64Type>().iter().flatten() {
            count(&mut self.known);
            for (at, set) in self.set.iter_mut().enumerate() {
                if value >> at & 1 == 1 {
                    count(set);
                }
            }
        }
        Ok(())
    }
}

impl Accumulator for Bits {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.each(&values[0], |count| *count += 1)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.each(&values[0], |count| *count -= 1)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.known == 0 {
            return ScalarValue::try_from(&self.data_type);
        }
        let is_set = |set: u64| match self.kind {
            Kind::All => set == self.known,
            _ => set > 0,
        };
        let value = (0..i64::BITS).filter(|at| is_set(self.set[*at as usize])).fold(0_i64, |bits, at| bits | 1 << at);
        match self.data_type {
            DataType::UInt64 => Ok(ScalarValue::UInt64(Some(value.cast_unsigned()))),
            _ => ScalarValue::Int64(Some(value)).cast_to(&self.data_type),
        }
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// What makes an accumulator, kept.
#[derive(Debug)]
struct Arguments {
    return_field: FieldRef,
    schema: Schema,
    ignore_nulls: bool,
    order_bys: Vec<PhysicalSortExpr>,
    is_reversed: bool,
    name: String,
    is_distinct: bool,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    expr_fields: Vec<FieldRef>,
}

impl Arguments {
    fn of(given: &AccumulatorArgs<'_>) -> Self {
        Self {
            return_field: Arc::clone(&given.return_field),
            schema: given.schema.clone(),
            ignore_nulls: given.ignore_nulls,
            order_bys: given.order_bys.to_vec(),
            is_reversed: given.is_reversed,
            name: given.name.to_owned(),
            is_distinct: given.is_distinct,
            exprs: given.exprs.to_vec(),
            expr_fields: given.expr_fields.to_vec(),
        }
    }

    fn lent(&self) -> AccumulatorArgs<'_> {
        AccumulatorArgs {
            return_field: Arc::clone(&self.return_field),
            schema: &self.schema,
            ignore_nulls: self.ignore_nulls,
            order_bys: &self.order_bys,
            is_reversed: self.is_reversed,
            name: &self.name,
            is_distinct: self.is_distinct,
            exprs: &self.exprs,
            expr_fields: &self.expr_fields,
        }
    }
}

/// The values of the frame, a slice of the arguments a row.
#[derive(Debug)]
struct Frame {
    function: Arc<AggregateUDF>,
    arguments: Arguments,
    values: VecDeque<Vec<ArrayRef>>,
}

impl Accumulator for Frame {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, Array::len);
        self.values.extend((0..rows).map(|row| values.iter().map(|column| column.slice(row, 1)).collect()));
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.values.drain(..values.first().map_or(0, Array::len).min(self.values.len()));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ask()?;
        let mut accumulator = self.function.accumulator(self.arguments.lent())?;
        let columns = self.values.front().map_or(0, Vec::len);
        let column = |at: usize| concat(&self.values.iter().map(|row| row[at].as_ref()).collect::<Vec<_>>());
        let whole = (0..columns).map(column).collect::<std::result::Result<Vec<_>, _>>()?;
        if !whole.is_empty() {
            accumulator.update_batch(&whole)?;
        }
        accumulator.evaluate()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        datafusion::common::internal_err!("a moving frame is not merged")
    }

    fn size(&self) -> usize {
        let own = |column: &ArrayRef| column.to_data().get_slice_memory_size().unwrap_or(0);
        size_of_val(self) + self.values.iter().flatten().map(own).sum::<usize>()
    }
}
