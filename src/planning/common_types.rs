//! Values that come together have the type that PostgreSQL finds for them ([`common_type`](pgtype::common_type())): the results
//! of CASE, the arguments of COALESCE, GREATEST and LEAST, the elements of an array, the values in a column of VALUES, and
//! what UNION, INTERSECT and EXCEPT have in one.
//!
//! ```sql
//! SELECT coalesce(shipped, '2024-01-01'), CASE WHEN paid THEN 1 ELSE 2.5 END
//! ```
//!
//! The engine has types of its own for most pairs, and texts for numbers beside texts. Here texts in quotes are read as values of
//! the type, what is of another one is cast, and what does not go together is refused. What Arrow does not tell of the type,
//! fields say; its modifier only where all values have the same. Types that PostgreSQL does not have (objects, maps, numbers
//! without a sign) are left to the engine.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::{
    common::{DFSchema, DataFusionError, Result, ScalarValue},
    logical_expr::{Case, Cast, Expr, ExprSchemable, type_coercion::binary::type_union_coercion},
};

use super::{
    arrays,
    nearest_floats::nearest_float,
    number_types::Room,
    open_operands::is_open,
    steps,
    text_numbers::{own_digits, text_of},
    time_operators,
    told::{as_element, in_common, of_all, said, told_as, told_by},
};
use crate::{
    fault::{Failure, Fault},
    pgtype::{self, Becoming, ColumnType, DATE, Form, NAME, PgType, TEXT, Unmatched, ZONED_TIME, told},
};

/// The name of the field of a cast that makes a value one of the type that it has together with others.
const COMMON: &str = "common";

/// What is known of one of several values.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// Nothing says its type.
    Open,
    /// It has this one.
    Known {
        column: ColumnType,
        /// Whether its field says so.
        is_told: bool,
        arrow: DataType,
    },
    /// PostgreSQL has no values of its Arrow type, or that cannot be told.
    Foreign(Option<DataType>),
}

impl Item {
    pub(super) fn of(value: &Expr, schema: &DFSchema) -> Self {
        if is_open(value) {
            return Self::Open;
        }
        match value.get_type(schema) {
            Ok(arrow) => Self::typed(told_by(value, schema), arrow),
            Err(_) => Self::Foreign(None),
        }
    }

    /// Of a column of a plan, which is shown so.
    pub(super) fn of_column(field: &Field, shown: &Expr) -> Self {
        match told(field) {
            None if is_open(shown) => Self::Open,
            _ => Self::of_field(field),
        }
    }

    /// Of a column that has its type.
    pub(super) fn of_field(field: &Field) -> Self {
        Self::typed(told(field), field.data_type().clone())
    }

    fn typed(told: Option<ColumnType>, arrow: DataType) -> Self {
        let leaf = pgtype::innermost(&arrow);
        if leaf.is_null() {
            return Self::Open;
        }
        if told.is_none() && is_foreign(leaf) {
            return Self::Foreign(Some(arrow));
        }
        Self::Known { column: told.unwrap_or_else(|| pgtype::of(&arrow)), is_told: told.is_some(), arrow }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    fn pg(&self) -> Option<&'static PgType> {
        match self {
            Self::Known { column, .. } => Some(column.pg),
            Self::Open | Self::Foreign(_) => None,
        }
    }
}

/// Whether the engine knows values of a type otherwise than PostgreSQL, or alone.
fn is_foreign(arrow: &DataType) -> bool {
    match arrow {
        DataType::Struct(fields) => !pgtype::is_record(fields),
        DataType::Dictionary(_, value) => is_foreign(value),
        DataType::Map(..)
        | DataType::Union(..)
        | DataType::RunEndEncoded(..)
        | DataType::Duration(_)
        | DataType::Date64
        | DataType::Float16 => true,
        other => other.is_unsigned_integer(),
    }
}

/// The type that several values have together.
#[derive(Debug, Clone)]
pub(super) struct Common {
    column: ColumnType,
    /// Whether fields have to say it.
    is_told: bool,
    /// The Arrow type of such values, where they are cast to it.
    arrow: Option<DataType>,
}

impl Common {
    pub(super) fn column(&self) -> ColumnType {
        self.column
    }

    /// What fields have to say of it.
    pub(super) fn told(&self) -> Option<ColumnType> {
        self.is_told.then_some(self.column)
    }

    /// The Arrow type of values that are given for it.
    fn form(&self) -> Option<DataType> {
        self.arrow.clone().or_else(|| self.column.pg.arrow(-1))
    }

    /// Whether texts are read as values that fields say the type of.
    fn reads(&self) -> bool {
        self.is_told && self.column.pg.form != Form::Array
    }

    /// Whether a value is of the type as it stands.
    pub(super) fn is_of(&self, item: &Item) -> bool {
        match item {
            Item::Open => self.arrow.is_none() && !self.is_told,
            Item::Known { column, is_told, arrow } => {
                *is_told == self.is_told
                    && (!self.is_told || *column == self.column)
                    && self.arrow.as_ref().is_none_or(|wanted| wanted == arrow)
            }
            Item::Foreign(_) => true,
        }
    }
}

/// The type that values have together, of which these are; `what` has them in one. None where the engine finds it.
pub(super) fn found(values: &[&Expr], items: &[Item], what: &str) -> Result<Option<Common>> {
    if items.iter().any(|item| matches!(item, Item::Foreign(_))) {
        return Ok(None);
    }
    let types: Vec<Option<&'static PgType>> = items.iter().map(Item::pg).collect();
    let Some(pg) = pgtype::common_type(&types).map_err(|unmatched| refused(unmatched, what))? else { return Ok(None) };
    super::arrays_of_arrays::check_dimensions(items, what)?;
    let own = || items.iter().filter(|item| item.pg().is_some_and(|own| own.oid == pg.oid));
    let is_told = own().any(|item| matches!(item, Item::Known { is_told: true, .. }));
    let mut forms = own().filter_map(|item| match item {
        Item::Known { arrow, .. } => Some(arrow),
        Item::Open | Item::Foreign(_) => None,
    });
    let first = forms.next();
    let are_alike = forms.all(|form| Some(form) == first);
    let arrow = match pg.form {
        Form::Numeric => Some(numeric(values, items)?),
        Form::Timestamp | Form::Instant => timestamp(items, pg.form == Form::Instant),
        Form::Text | Form::Uuid | Form::Jsonb | Form::Oid | Form::Unknown | Form::Other => None,
        Form::Array => first.filter(|_| are_alike).cloned(),
        _ if are_alike => first.cloned(),
        _ => pg.arrow(-1),
    };
    let column = |item: &Item| match item {
        Item::Known { column, .. } => Some(*column),
        Item::Open | Item::Foreign(_) => None,
    };
    let known: Vec<Option<ColumnType>> = items.iter().map(column).collect();
    let column = of_all(values, &known).unwrap_or_else(|| ColumnType::plain(pg));
    // Of times, fields say no more than the digits that all have.
    Ok(Some(Common { column, is_told: is_told && column.says_more(), arrow }))
}

/// The Arrow type of values that are given beside these; none where nothing says it, or they do not go together.
pub(super) fn form(values: &[&Expr], items: &[Item]) -> Option<DataType> {
    if let Some(common) = found(values, items, "").ok()? {
        return common.form();
    }
    let mut form: Option<DataType> = None;
    for item in items {
        let own = match item {
            Item::Open => continue,
            Item::Known { arrow, .. } => arrow,
            Item::Foreign(arrow) => arrow.as_ref()?,
        };
        form = Some(match form {
            Some(before) => type_union_coercion(&before, own)?,
            None => own.clone(),
        });
    }
    form
}

fn refused(unmatched: Unmatched, what: &str) -> DataFusionError {
    let (fault, message) = match unmatched {
        Unmatched::Categories(one, other) => (
            Fault::DatatypeMismatch,
            format!("{what} types {} and {} cannot be matched; cast one of them", one.sql(None), other.sql(None)),
        ),
        Unmatched::Becoming(from, to) => {
            (Fault::CannotCoerce, format!("{what} could not convert type {} to {}", from.sql(None), to.sql(None)))
        }
    };
    Failure::new(fault, message).into()
}

/// The type of numerics with the digits of all these numbers.
fn numeric(values: &[&Expr], items: &[Item]) -> Result<DataType> {
    let mut room = Room::default();
    for (value, item) in values.iter().zip(items) {
        match item {
            Item::Known { arrow, .. } if arrow.is_decimal() => room.hold(arrow),
            Item::Known { arrow, .. } => room.hold(&whole(value, arrow)),
            Item::Open => {
                if let Some(number) = text_of(value).and_then(own_digits) {
                    room.hold(&number.data_type());
                }
            }
            Item::Foreign(_) => {}
        }
    }
    room.common().ok_or_else(|| {
        let message = "a column of these numerics would need more than 76 digits; round them";
        Failure::new(Fault::NumericOutOfRange, message).into()
    })
}

/// The numerics that whole numbers of a type are: one that is written has its own digits.
fn whole(value: &Expr, arrow: &DataType) -> DataType {
    let written = match value {
        Expr::Literal(number, _) => match number.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(Some(number))) => Some(number),
            _ => None,
        },
        _ => None,
    };
    let digits = match (written, arrow) {
        (Some(number), _) => number.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1),
        (None, DataType::Int8) => 3,
        (None, DataType::Int16) => 5,
        (None, DataType::Int32) => 10,
        (None, _) => 19,
    };
    DataType::Decimal128(u8::try_from(digits).unwrap_or(19), 0)
}

/// The type of timestamps as fine as the finest of these times.
fn timestamp(items: &[Item], has_zone: bool) -> Option<DataType> {
    let mut finest: Option<TimeUnit> = None;
    let mut named: Option<Arc<str>> = None;
    for item in items {
        if let Item::Known { arrow: DataType::Timestamp(unit, zone), .. } = item {
            finest = finest.max(Some(*unit));
            named = named.or_else(|| zone.clone());
        }
    }
    Some(DataType::Timestamp(finest?, named.filter(|_| has_zone)))
}

/// A value as one of the type that it has together with others.
fn become_common(value: Expr, item: &Item, common: &Common, schema: &DFSchema) -> Result<Expr> {
    let wanted = common.column.pg;
    let Item::Known { column, is_told, arrow } = item else {
        return match item {
            Item::Open if text_of(&value).is_some() => read(value.unalias(), common, schema),
            _ => Ok(value),
        };
    };
    // Of texts, names alone are cut.
    let is_made = wanted.category != TEXT.category || wanted.oid == NAME.oid;
    if common.is_told && is_made && wanted.oid != column.pg.oid {
        let from = is_told.then_some(*column);
        return told_as(value.unalias(), from, (ColumnType::plain(wanted), Becoming::Cast), schema);
    }
    match &common.arrow {
        Some(form) if form != arrow => Ok(match (arrow, form) {
            (numeric, float) if numeric.is_decimal() && float.is_floating() => {
                nearest_float(value.unalias(), float.clone())
            }
            // A day begins when the session's clocks show it.
            (DataType::Date32, DataType::Timestamp(unit, Some(_))) => {
                cast(cast(value.unalias(), &DataType::Timestamp(*unit, None)), form)
            }
            _ => cast(value.unalias(), form),
        }),
        _ => Ok(if *is_told { in_common(value, *column, common.column) } else { value }),
    }
}

/// The same of a column, whose field says what Arrow does not tell, and in which a text in quotes need not be seen.
pub(super) fn as_column(value: Expr, item: &Item, common: &Common, schema: &DFSchema) -> Result<Expr> {
    let is_seen = text_of(&value).is_some();
    let value = match (item, &common.arrow) {
        (Item::Open, Some(form)) if !is_seen => return Ok(cast(value, form)),
        (Item::Open, None) if !is_seen && common.reads() && value.get_type(schema)?.is_string() => {
            return told_as(value, None, (ColumnType::plain(common.column.pg), Becoming::Cast), schema);
        }
        _ => become_common(value, item, common, schema)?,
    };
    let told = common.told();
    if told.is_none() && !matches!(item, Item::Known { is_told: true, .. }) {
        return Ok(value);
    }
    let arrow = match (value.get_type(schema)?, told) {
        (DataType::Null, Some(told)) => told.arrow(),
        (arrow, _) => arrow,
    };
    Ok(said(value, arrow, told))
}

/// A text in quotes as a value of the type.
fn read(text: Expr, common: &Common, schema: &DFSchema) -> Result<Expr> {
    if common.reads() {
        return told_as(text, None, (ColumnType::plain(common.column.pg), Becoming::Cast), schema);
    }
    let Some(form) = &common.arrow else { return Ok(text) };
    Ok(match common.column.pg.form {
        Form::Numeric => match text_of(&text).and_then(own_digits).map(|number| number.cast_to(form)) {
            Some(Ok(number)) => Expr::Literal(number, None),
            Some(Err(_)) | None => cast(text, form),
        },
        Form::Array => {
            let array = arrays::as_written(&text, form.clone());
            cast(text, &array)
        }
        _ => cast(text, form),
    })
}

fn cast(value: Expr, form: &DataType) -> Expr {
    Expr::Cast(Cast::new_from_field(Box::new(value), Arc::new(Field::new(COMMON, form.clone(), true))))
}

/// A value as it was before it was cast to the type that it has together with others.
pub(super) fn before_cast(value: Expr) -> Expr {
    match value {
        Expr::Cast(cast) if cast.field.name() == COMMON => before_cast(*cast.expr),
        other => other,
    }
}

/// Whether a value was a constant before it was cast so.
pub(super) fn was_constant(value: &Expr) -> bool {
    match value {
        Expr::Cast(cast) if cast.field.name() == COMMON => was_constant(&cast.expr),
        other => matches!(other, Expr::Literal(..)),
    }
}

/// Gives values the type that they have together, and tells what fields have to say of it; its modifier may be lost.
pub(super) fn unite(
    values: &mut [&mut Expr],
    (what, loses): (&str, bool),
    schema: &DFSchema,
) -> Result<Option<ColumnType>> {
    let items: Vec<Item> = values.iter().map(|value| Item::of(value, schema)).collect();
    let shown: Vec<&Expr> = values.iter().map(|value| &**value).collect();
    let Some(mut common) = found(&shown, &items, what)? else { return Ok(None) };
    common.column.modifier = if loses { -1 } else { common.column.modifier };
    for (value, item) in values.iter_mut().zip(&items) {
        let united = become_common(std::mem::take(&mut **value), item, &common, schema)?;
        **value = if what == ARRAY && common.column.keeps_blanks() { as_element(united) } else { united };
    }
    Ok(common.told())
}

/// What PostgreSQL calls an array that is written, where its elements do not go together.
const ARRAY: &str = "ARRAY";

/// The values of which a step has one, or all, and what PostgreSQL calls it.
fn chosen(step: &mut Expr) -> Option<(Vec<&mut Expr>, &'static str)> {
    match step {
        // PostgreSQL looks at the last value first.
        Expr::Case(Case { when_then_expr, else_expr, .. }) => {
            let values = when_then_expr.iter_mut().map(|(_, then)| then.as_mut());
            Some((else_expr.as_deref_mut().into_iter().chain(values).collect(), "CASE"))
        }
        Expr::ScalarFunction(call) => {
            let what = match call.func.name() {
                "coalesce" | "nvl" | "ifnull" => "COALESCE",
                "greatest" => "GREATEST",
                "least" => "LEAST",
                "make_array" => ARRAY,
                _ => return None,
            };
            Some((call.args.iter_mut().collect(), what))
        }
        _ => None,
    }
}

/// A step of an expression whose values have the type that they have together, and what fields have to say of it.
pub(super) fn settled(mut step: Expr, schema: &DFSchema) -> Result<(Expr, Option<ColumnType>)> {
    if matches!(&step, Expr::ScalarFunction(call) if call.func.name() == "nullif") {
        return Ok((null_if(step, schema)?, None));
    }
    let may_be_null = matches!(&step, Expr::Case(case) if case.else_expr.is_none());
    let Some((mut values, what)) = chosen(&mut step) else { return Ok((step, None)) };
    let told = unite(&mut values, (what, may_be_null), schema)?;
    let held = |told: ColumnType| if what == ARRAY && told.item().is_none() { told.in_arrays() } else { told };
    Ok((step, told.map(held)))
}

/// `nullif` of times of which one has a zone, and of numbers that are no floats. Its value is of the first one's type where
/// PostgreSQL compares both as they are, and of the type that they have together where a whole number is compared with a numeric.
fn null_if(mut step: Expr, schema: &DFSchema) -> Result<Expr> {
    let Expr::ScalarFunction(call) = &mut step else { return Ok(step) };
    let [value, other] = call.args.as_mut_slice() else { return Ok(step) };
    let items = [Item::of(value, schema), Item::of(other, schema)];
    let [Item::Known { arrow, .. }, Item::Known { arrow: other_arrow, .. }] = &items else {
        return Ok(step);
    };
    if arrow != other_arrow && is_day_or_instant(arrow) && is_day_or_instant(other_arrow) && !value.is_volatile() {
        return null_if_instant(value, other, &items, schema).map(|found| found.unwrap_or(step));
    }
    if *arrow == ZONED_TIME || *other_arrow == ZONED_TIME {
        time_operators::compare_in_zones(&mut [value, other], schema);
        return Ok(step);
    }
    let is_exact = |number: &DataType| number.is_integer() || number.is_decimal();
    if arrow == other_arrow || !is_exact(arrow) || !is_exact(other_arrow) {
        return Ok(step);
    }
    let Some(common) = found(&[&*value, &*other], &items, "NULLIF")? else { return Ok(step) };
    for (argument, item) in [value, other].into_iter().zip(&items) {
        *argument = become_common(std::mem::take(argument), item, &common, schema)?;
    }
    let keeps_its_type = arrow.is_decimal() || other_arrow.is_integer();
    Ok(match keeps_its_type && common.arrow.as_ref() != Some(arrow) {
        true => Expr::Cast(Cast::new(Box::new(step), arrow.clone())),
        false => step,
    })
}

fn is_day_or_instant(own: &DataType) -> bool {
    matches!(own, DataType::Date32 | DataType::Timestamp(..))
}

/// `nullif` of times of which one has a zone: the first stays what it is. None of others.
fn null_if_instant(value: &Expr, other: &Expr, items: &[Item; 2], schema: &DFSchema) -> Result<Option<Expr>> {
    let Some(common) = found(&[value, other], items, "NULLIF")? else { return Ok(None) };
    if !matches!(common.arrow, Some(DataType::Timestamp(_, Some(_)))) {
        return Ok(None);
    }
    let [item, other_item] = items;
    let is_other = become_common(value.clone(), item, &common, schema)?.eq(become_common(
        other.clone(),
        other_item,
        &common,
        schema,
    )?);
    Ok(Some(steps::null_if(value, is_other, ScalarValue::try_from(value.get_type(schema)?)?)))
}

/// Reads the texts in quotes among the values of an operand that are no numbers, and makes times of several types one, so
/// that its type is known where an operator is planned. What numbers are together is known when those that are written have
/// their types.
pub(super) fn read_early(operand: &mut Expr, schema: &DFSchema) -> Result<()> {
    let Some((mut values, what)) = chosen(operand) else { return Ok(()) };
    let items: Vec<Item> = values.iter().map(|value| Item::of(value, schema)).collect();
    let is_other = |item: &Item| item.pg().is_some_and(|pg| !OF_THEIR_OWN.contains(&pg.category));
    // The engine takes a CASE of numbers and texts in quotes for a text.
    let is_number = |item: &Item| item.pg().is_some_and(|pg| pg.category == 'N');
    let is_read = |item: &Item| is_other(item) || what == "CASE" && is_number(item);
    let mut times = items.iter().filter_map(Item::pg).filter(|pg| pg.category == DATE.category);
    let are_times_of_several = times.next().is_some_and(|first| times.any(|other| other.oid != first.oid));
    if are_times_of_several || items.iter().any(Item::is_open) && items.iter().any(is_read) {
        unite(&mut values, (what, false), schema)?;
    }
    Ok(())
}

/// The categories of numbers and of texts.
const OF_THEIR_OWN: &[char] = &['N', 'S'];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::Schema;
    use datafusion::{
        functions::core::coalesce,
        logical_expr::{col, lit, when},
    };

    use super::*;
    use crate::pgtype::{NUMERIC, UUID};

    const MICROSECONDS: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

    fn schema() -> DFSchema {
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()));
        let fields = [
            ("i", DataType::Int32),
            ("n", DataType::Decimal128(10, 2)),
            ("m", DataType::Decimal128(8, 4)),
            ("r", DataType::Float32),
            ("d", DataType::Date32),
            ("l", MICROSECONDS),
            ("t", instant),
            ("s", DataType::Utf8View),
        ];
        let mut fields: Vec<Field> =
            fields.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect();
        fields.push(Field::new("u", DataType::Utf8View, true).with_metadata(ColumnType::plain(&UUID).metadata()));
        DFSchema::try_from(Schema::new(fields)).unwrap()
    }

    fn united(values: &[Expr]) -> Result<Vec<Expr>> {
        match settled(coalesce().call(values.to_vec()), &schema())?.0 {
            Expr::ScalarFunction(call) => Ok(call.args),
            other => panic!("{other} is no call"),
        }
    }

    fn types(values: &[Expr]) -> Vec<DataType> {
        united(values).unwrap().iter().map(|value| value.get_type(&schema()).unwrap()).collect()
    }

    /// The types are those of `SELECT pg_typeof(coalesce(one, other))` of PostgreSQL 15.
    #[test]
    fn values_have_the_type_that_postgresql_finds() {
        let instant = schema().field(6).data_type().clone();
        assert_eq!(types(&[col("i"), col("n")]), vec![DataType::Decimal128(12, 2); 2]);
        assert_eq!(types(&[lit(1_i32), col("n")]), vec![DataType::Decimal128(10, 2); 2]);
        assert_eq!(types(&[col("n"), col("m")]), vec![DataType::Decimal128(12, 4); 2]);
        assert_eq!(types(&[col("n"), lit("0.125")]), vec![DataType::Decimal128(11, 3); 2]);
        assert_eq!(types(&[col("n"), col("r")]), vec![DataType::Float32; 2]);
        assert_eq!(types(&[col("d"), lit("2024-01-01")]), vec![DataType::Date32; 2]);
        assert_eq!(types(&[col("d"), col("l")]), vec![MICROSECONDS; 2]);
        assert_eq!(types(&[col("d"), col("t"), col("l")]), vec![instant; 3]);
        let kept = [lit(ScalarValue::Null), col("i"), lit(ScalarValue::Null)];
        assert_eq!(united(&kept).unwrap(), kept);
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let refusal = |values: &[Expr]| united(values).unwrap_err().to_string();
        for (values, said) in [
            ([col("i"), col("s")], "COALESCE types integer and text cannot be matched"),
            ([col("s"), col("d")], "COALESCE types text and date cannot be matched"),
            ([col("l"), col("u")], "COALESCE types timestamp without time zone and uuid cannot be matched"),
        ] {
            assert!(refusal(&values).contains(said), "{}", refusal(&values));
        }
        let case = when(lit(true), lit(1_i32)).otherwise(col("s")).unwrap();
        let refused = settled(case, &schema()).unwrap_err().to_string();
        assert!(refused.contains("CASE types text and integer cannot be matched"), "{refused}");
    }

    /// `SELECT pg_typeof(nullif(one, other))` of PostgreSQL 15.
    #[test]
    fn nullif_keeps_the_type_of_what_is_compared_as_it_is() {
        let kind = |arguments: [Expr; 2]| {
            let call = datafusion::functions::core::nullif().call(arguments.to_vec());
            settled(call, &schema()).map(|(step, _)| step.get_type(&schema()).unwrap())
        };
        assert_eq!(kind([col("i"), lit(3_000_000_000_i64)]).unwrap(), DataType::Int32);
        assert_eq!(kind([col("n"), col("i")]).unwrap(), DataType::Decimal128(10, 2));
        assert_eq!(kind([col("i"), col("n")]).unwrap(), DataType::Decimal128(12, 2));
    }

    #[test]
    fn only_texts_beside_values_of_other_kinds_are_read_early() {
        let early = |values: [Expr; 2]| {
            let mut call = coalesce().call(values.to_vec());
            read_early(&mut call, &schema()).unwrap();
            match call {
                Expr::ScalarFunction(call) => call.args,
                other => panic!("{other} is no call"),
            }
        };
        assert_eq!(early([col("d"), lit("2024-01-01")]), [col("d"), cast(lit("2024-01-01"), &DataType::Date32)]);
        assert_eq!(early([col("i"), lit("1")]), [col("i"), lit("1")]);
        assert_eq!(before_cast(cast(col("i"), &DataType::Int64)), col("i"));
        assert_eq!(Item::of(&col("n"), &schema()).pg().map(|pg| pg.oid), Some(NUMERIC.oid));
    }
}
