//! The types of `$1`, `$2`, … that the client left open, found as PostgreSQL finds them, and texts in quotes, which are read as
//! what they are found to be.
//!
//! An operand without a type has the one that its operator has for it ([`open_operands`](super::open_operands)), the one that the
//! other values of its column have or a function takes; a parameter that has one keeps it wherever else it stands. One that is
//! shown as it is is a text, and of what is only asked whether it is NULL nothing can be told. The plan is one in which the types
//! that are looked for are Null, which fits everywhere; with those that are found the statement is planned again.

mod arguments;

use std::{collections::BTreeSet, ptr, sync::Arc};

use arrow::datatypes::{DataType, Field};
use datafusion::{
    common::{
        DFSchema, DataFusionError, Result, ScalarValue,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        Between, BinaryExpr, Case, Cast, Expr, Like, LogicalPlan, Operator, Union,
        expr::{Exists, InList, InSubquery, Placeholder, ScalarFunction, SetComparison, TryCast},
    },
};

use self::arguments::{Argument, element, of_function, of_rows};
use super::{
    ASSIGNED, WRITTEN_AS,
    assignments::listing,
    byte_patterns::is_of_bytes,
    common_types::{self, Item},
    constants,
    open_operands::{Beside, INTERVAL, Operand, beside, beside_open, type_of},
    overloads, steps, types,
};
use crate::{
    fault::{Failure, Fault},
    pgtype,
};

/// The types of a plan's parameters, of which these are known; none of one that it does not have. What its rows show is stored
/// in columns of the types `columns`, if there are any.
pub(crate) fn parameter_types(
    plan: &LogicalPlan,
    known: &[Option<DataType>],
    columns: &[DataType],
) -> Result<Vec<Option<DataType>>> {
    let types = known.to_vec();
    let rows = rows_of(plan);
    let mut finding = Finding { types, open: BTreeSet::new(), shown: BTreeSet::new(), rows, columns };
    finding.node(plan)?;
    let Finding { mut types, open, shown, .. } = finding;
    for number in open {
        let Some(found @ None) = types.get_mut(number - 1) else { continue };
        if !shown.contains(&number) {
            let message = format!("could not determine data type of parameter ${number}");
            return Err(Failure::new(Fault::IndeterminateDatatype, message).into());
        }
        *found = Some(DataType::Utf8);
    }
    Ok(types)
}

/// What shows the columns of a plan's rows.
fn rows_of(plan: &LogicalPlan) -> &LogicalPlan {
    match plan {
        LogicalPlan::Explain(explain) => rows_of(&explain.plan),
        LogicalPlan::Analyze(analyze) => rows_of(&analyze.input),
        other => listing(other),
    }
}

/// What was found up to a place.
struct Finding<'a> {
    /// By number, from 1 on.
    types: Vec<Option<DataType>>,
    /// Those that had no type where they stand.
    open: BTreeSet<usize>,
    /// Those of them that are shown as they are.
    shown: BTreeSet<usize>,
    rows: &'a LogicalPlan,
    columns: &'a [DataType],
}

impl Finding<'_> {
    #[recursive::recursive]
    fn node(&mut self, plan: &LogicalPlan) -> Result<()> {
        let mut condition = None;
        for input in plan.inputs() {
            match input {
                // What a SELECT shows comes before its condition.
                LogicalPlan::Filter(filter)
                    if matches!(plan, LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_)) =>
                {
                    self.node(&filter.input)?;
                    condition = Some(input);
                }
                other => self.node(other)?,
            }
        }
        self.expressions(plan)?;
        condition.map_or(Ok(()), |filter| self.expressions(filter))
    }

    fn expressions(&mut self, plan: &LogicalPlan) -> Result<()> {
        if let LogicalPlan::Union(union) = plan {
            return self.union(union);
        }
        let (columns, wanted) = match plan {
            LogicalPlan::Filter(_) | LogicalPlan::Join(_) => (&[][..], Some(DataType::Boolean)),
            LogicalPlan::Limit(_) => (&[][..], Some(DataType::Int64)),
            rows @ (LogicalPlan::Projection(_) | LogicalPlan::Values(_)) if ptr::eq(rows, self.rows) => {
                (self.columns, None)
            }
            _ => (&[][..], None),
        };
        // A row may have fewer values than there are columns.
        let width = plan.schema().fields().len().max(1);
        let mut schema: Option<DFSchema> = None;
        let mut count = 0;
        // What is stored is cast when all of it has been looked at.
        let mut stored = Vec::new();
        plan.apply_expressions(|expression| {
            let column = columns.get(count % width);
            count += 1;
            self.subqueries(expression)?;
            if !expression.exists(|part| Ok(concerns(part)))? {
                return Ok(TreeNodeRecursion::Continue);
            }
            if schema.is_none() {
                schema = Some(steps::columns_of(plan)?);
            }
            if let Some(schema) = &schema {
                let mut found = self.found(expression.clone(), schema)?;
                match (column, &wanted) {
                    (Some(column), _) => stored.push((found, column)),
                    (None, Some(wanted)) => self.give_parameter(&mut found, wanted)?,
                    (None, None) => self.show(&found),
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        for (mut value, column) in stored {
            self.give(assigned(&mut value), column)?;
        }
        Ok(())
    }

    fn subqueries(&mut self, expression: &Expr) -> Result<()> {
        expression.apply(|part| {
            if let Expr::Exists(Exists { subquery, .. })
            | Expr::InSubquery(InSubquery { subquery, .. })
            | Expr::SetComparison(SetComparison { subquery, .. })
            | Expr::ScalarSubquery(subquery) = part
            {
                self.node(&subquery.subquery)?;
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(())
    }

    /// An expression whose parameters have the types that are known behind it.
    fn found(&mut self, expression: Expr, schema: &DFSchema) -> Result<Expr> {
        expression.transform_up(|step| self.step(step, schema).map(Transformed::yes)).data()
    }

    fn step(&mut self, mut step: Expr, schema: &DFSchema) -> Result<Expr> {
        match &mut step {
            Expr::Placeholder(placeholder) => {
                self.parameter(placeholder);
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => self.operation(left, *op, right, schema)?,
            Expr::Like(Like { expr, pattern, .. }) | Expr::SimilarTo(Like { expr, pattern, .. }) => {
                let of_bytes = is_of_bytes(expr, schema) || is_of_bytes(pattern, schema);
                let wanted = if of_bytes { DataType::Binary } else { DataType::Utf8 };
                self.give_parameter(expr, &wanted)?;
                self.give_parameter(pattern, &wanted)?;
            }
            Expr::Not(operand)
            | Expr::IsTrue(operand)
            | Expr::IsFalse(operand)
            | Expr::IsUnknown(operand)
            | Expr::IsNotTrue(operand)
            | Expr::IsNotFalse(operand)
            | Expr::IsNotUnknown(operand) => self.give(operand, &DataType::Boolean)?,
            Expr::Negative(operand) if open_parameter(operand).is_some() => return Err(not_unique("- unknown")),
            Expr::Between(Between { expr, low, high, .. }) => {
                self.alike(&mut [expr.as_mut(), low.as_mut(), high.as_mut()], schema)?;
            }
            Expr::InList(InList { expr, list, .. }) => {
                let mut operands: Vec<&mut Expr> = std::iter::once(expr.as_mut()).chain(list).collect();
                self.alike(&mut operands, schema)?;
            }
            Expr::Case(case) => self.case(case, schema)?,
            Expr::Cast(Cast { expr, field }) => self.give(expr, field.data_type())?,
            Expr::TryCast(TryCast { expr, field }) => self.give_parameter(expr, field.data_type())?,
            Expr::InSubquery(InSubquery { expr, subquery, .. })
            | Expr::SetComparison(SetComparison { expr, subquery, .. }) => {
                if let Some(column) = subquery.subquery.schema().fields().first() {
                    self.give(expr, column.data_type())?;
                }
            }
            Expr::ScalarFunction(call) => self.call(call, schema)?,
            Expr::AggregateFunction(call) => {
                let (name, arguments) = (call.func.name(), &mut call.params.args);
                self.arguments(arguments, schema, |at, types| of_rows(name, at, types))?;
            }
            Expr::WindowFunction(call) => {
                let (name, arguments) = (call.fun.name(), &mut call.params.args);
                self.arguments(arguments, schema, |at, types| of_rows(name, at, types))?;
            }
            _ => {}
        }
        Ok(step)
    }

    /// A parameter gets the type that it has by now, or tells the one it has.
    fn parameter(&mut self, placeholder: &mut Placeholder) {
        let Some(number) = number(&placeholder.id) else { return };
        let Some(known) = self.types.get_mut(number - 1) else { return };
        match (type_of(placeholder).cloned(), known.as_ref().map(field_of)) {
            (Some(own), None) => *known = Some(own),
            (None, Some(field)) => placeholder.field = Some(field),
            (None, None) => {
                self.open.insert(number);
            }
            (Some(_), Some(_)) => {}
        }
    }

    fn operation(&mut self, left: &mut Expr, op: Operator, right: &mut Expr, schema: &DFSchema) -> Result<()> {
        if matches!(op, Operator::And | Operator::Or) {
            self.give(left, &DataType::Boolean)?;
            return self.give(right, &DataType::Boolean);
        }
        match (Operand::of(left, schema), Operand::of(right, schema)) {
            (Operand::Open, Operand::Of(other)) => match beside(op, &other, true) {
                Beside::Type(wanted) => self.give(left, &wanted),
                Beside::Several if open_parameter(left).is_some() => {
                    Err(not_unique(&format!("unknown {op} {}", pgtype::type_name(&other))))
                }
                _ => Ok(()),
            },
            (Operand::Of(other), Operand::Open) => match beside(op, &other, false) {
                Beside::Type(wanted) => self.give(right, &wanted),
                Beside::Several if open_parameter(right).is_some() => {
                    Err(not_unique(&format!("{} {op} unknown", pgtype::type_name(&other))))
                }
                _ => Ok(()),
            },
            (Operand::Open, Operand::Open) => match beside_open(op) {
                Beside::Type(wanted) => {
                    self.give_parameter(left, &wanted)?;
                    self.give_parameter(right, &wanted)
                }
                _ if open_parameter(left).or(open_parameter(right)).is_some() => {
                    Err(not_unique(&format!("unknown {op} unknown")))
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn case(&mut self, case: &mut Case, schema: &DFSchema) -> Result<()> {
        let Case { expr, when_then_expr, else_expr } = case;
        match expr {
            Some(value) => {
                let whens = when_then_expr.iter_mut().map(|(when, _)| when.as_mut());
                let mut operands: Vec<&mut Expr> = std::iter::once(value.as_mut()).chain(whens).collect();
                self.alike(&mut operands, schema)?;
            }
            None => {
                for (when, _) in when_then_expr.iter_mut() {
                    self.give(when, &DataType::Boolean)?;
                }
            }
        }
        let values = when_then_expr.iter_mut().map(|(_, then)| then.as_mut());
        let mut operands: Vec<&mut Expr> = else_expr.as_deref_mut().into_iter().chain(values).collect();
        self.alike(&mut operands, schema)
    }

    fn call(&mut self, call: &mut ScalarFunction, schema: &DFSchema) -> Result<()> {
        if let Some(taken) = overloads::taken(call, schema) {
            let is_asked = call.args.iter().any(|argument| open_parameter(argument).is_some());
            let taken = match taken {
                Ok(taken) => taken,
                Err(refused) if is_asked => return Err(refused),
                // What its arguments are may be known only when types are settled, and then it is refused if it has to be.
                Err(_) => return Ok(()),
            };
            return self.arguments(&mut call.args, schema, |at, _| match taken.get(at) {
                Some(Some(wanted)) => Argument::Of(wanted.clone()),
                _ => Argument::Any,
            });
        }
        let (name, arguments) = (call.func.name(), &mut call.args);
        match name {
            "coalesce" | "greatest" | "least" | "nvl" | "ifnull" | "nullif" | "make_array" => {
                self.alike(&mut arguments.iter_mut().collect::<Vec<_>>(), schema)
            }
            "compare_any" | "compare_all" => match arguments.as_mut_slice() {
                [value, array, ..] => self.compared_with_array(value, array, schema),
                _ => Ok(()),
            },
            // What they are called on is looked at where it is used.
            ASSIGNED => Ok(()),
            WRITTEN_AS => {
                arguments.iter().for_each(|argument| self.show(argument));
                Ok(())
            }
            _ => self.arguments(arguments, schema, |at, types| of_function(name, at, types)),
        }
    }

    fn compared_with_array(&mut self, value: &mut Expr, array: &mut Expr, schema: &DFSchema) -> Result<()> {
        match (Operand::of(value, schema), Operand::of(array, schema)) {
            (Operand::Of(item), Operand::Open) => self.give(array, &list_of(item)),
            (Operand::Open, Operand::Of(list)) => element(&list).map_or(Ok(()), |item| self.give(value, item)),
            (Operand::Open, Operand::Open) => {
                self.give_parameter(value, &DataType::Utf8)?;
                self.give_parameter(array, &list_of(DataType::Utf8))
            }
            _ => Ok(()),
        }
    }

    /// The arguments of a call that are parameters get the types that it takes.
    fn arguments(
        &mut self,
        arguments: &mut [Expr],
        schema: &DFSchema,
        wanted: impl Fn(usize, &[Option<DataType>]) -> Argument,
    ) -> Result<()> {
        if !arguments.iter().any(|argument| open_parameter(argument).is_some()) {
            return Ok(());
        }
        let known = |argument: &Expr| match Operand::of(argument, schema) {
            Operand::Of(data_type) => Some(data_type),
            _ => None,
        };
        let types: Vec<_> = arguments.iter().map(known).collect();
        for (at, argument) in arguments.iter_mut().enumerate() {
            match wanted(at, &types) {
                Argument::Of(wanted) => self.give_parameter(argument, &wanted)?,
                Argument::Shown => self.show(argument),
                Argument::Any => {}
            }
        }
        Ok(())
    }

    /// The columns of a UNION, each of one type.
    fn union(&mut self, union: &Union) -> Result<()> {
        let width = union.schema.fields().len();
        if union.inputs.iter().any(|input| input.schema().fields().len() != width) {
            return Ok(());
        }
        for at in 0..width {
            let mut values = Vec::with_capacity(union.inputs.len());
            let mut items = Vec::with_capacity(union.inputs.len());
            for input in &union.inputs {
                let mut value = types::shown_at(input, at).unalias();
                if let Expr::Placeholder(placeholder) = &mut value {
                    self.parameter(placeholder);
                }
                items.push(match &value {
                    Expr::Placeholder(_) => Item::of(&value, &DFSchema::empty()),
                    _ => Item::of_column(input.schema().field(at), &value),
                });
                values.push(value);
            }
            self.unify(&mut values.iter_mut().collect::<Vec<_>>(), &items)?;
        }
        Ok(())
    }

    /// Operands of one type.
    fn alike(&mut self, operands: &mut [&mut Expr], schema: &DFSchema) -> Result<()> {
        let items: Vec<Item> = operands.iter().map(|operand| Item::of(operand, schema)).collect();
        self.unify(operands, &items)
    }

    fn unify(&mut self, operands: &mut [&mut Expr], items: &[Item]) -> Result<()> {
        if !items.iter().any(Item::is_open) {
            return Ok(());
        }
        let are_open = items.iter().all(Item::is_open);
        let values: Vec<&Expr> = operands.iter().map(|operand| &**operand).collect();
        // What does not go together is told when types are settled.
        let form = common_types::form(&values, items);
        for operand in operands.iter_mut() {
            match &form {
                Some(form) => self.give(operand, form)?,
                None if are_open => self.give_parameter(operand, &DataType::Utf8)?,
                None => {}
            }
        }
        Ok(())
    }

    /// An open operand becomes one of this type: a parameter has it from here on, and a text is read as a value of it.
    fn give(&mut self, operand: &mut Expr, wanted: &DataType) -> Result<()> {
        match operand {
            Expr::Literal(ScalarValue::Utf8(Some(text)), _) => constants::check(text, &of_values(wanted)),
            other => self.give_parameter(other, wanted),
        }
    }

    fn give_parameter(&mut self, operand: &mut Expr, wanted: &DataType) -> Result<()> {
        let Some(number) = open_parameter(operand) else { return Ok(()) };
        let Some(known) = self.types.get_mut(number - 1).filter(|_| !wanted.is_null()) else { return Ok(()) };
        let wanted = of_values(wanted);
        // It had none where it stands, but another place may have said what it is since.
        let found = known.get_or_insert_with(|| wanted.clone());
        let (one, other) = (pgtype::of(found).pg, pgtype::of(&wanted).pg);
        // A number is cast to whatever number is wanted, and one that is written is a bigint where it is an integer there.
        if one.oid != other.oid && (one.category != NUMBERS || other.category != NUMBERS) {
            let (one, other) = (pgtype::type_name(found), pgtype::type_name(&wanted));
            let message = format!("inconsistent types deduced for parameter ${number}: {one} and {other}");
            return Err(Failure::new(Fault::AmbiguousParameter, message).into());
        }
        let field = field_of(found);
        if let Expr::Placeholder(placeholder) = unaliased(operand) {
            placeholder.field = Some(field);
        }
        Ok(())
    }

    /// A parameter that stands where a value of any type could is a text, if nothing else says what it is.
    fn show(&mut self, operand: &Expr) {
        self.shown.extend(open_parameter(operand));
    }
}

/// The category of types that are numbers.
const NUMBERS: char = 'N';

/// Whether a step has a type that is looked for, or tells one.
fn concerns(step: &Expr) -> bool {
    matches!(step, Expr::Placeholder(_) | Expr::Literal(ScalarValue::Utf8(Some(_)), _))
}

/// The number of an operand that is a parameter without a type.
fn open_parameter(operand: &Expr) -> Option<usize> {
    match operand {
        Expr::Alias(alias) => open_parameter(&alias.expr),
        Expr::Placeholder(placeholder) if type_of(placeholder).is_none() => number(&placeholder.id),
        _ => None,
    }
}

fn unaliased(operand: &mut Expr) -> &mut Expr {
    match operand {
        Expr::Alias(alias) => unaliased(&mut alias.expr),
        other => other,
    }
}

/// The value that an INSERT stores.
fn assigned(value: &mut Expr) -> &mut Expr {
    let is_assigned = |call: &ScalarFunction| call.func.name() == ASSIGNED && call.args.len() == 1;
    if matches!(value, Expr::ScalarFunction(call) if !is_assigned(call)) {
        return value;
    }
    match value {
        Expr::Alias(alias) => assigned(&mut alias.expr),
        Expr::ScalarFunction(call) => &mut call.args[0],
        other => other,
    }
}

/// The number in the name `$n`, from 1.
pub(crate) fn number(id: &str) -> Option<usize> {
    id.strip_prefix('$')?.parse().ok().filter(|number| *number > 0)
}

fn field_of(data_type: &DataType) -> Arc<Field> {
    Arc::new(Field::new("", data_type.clone(), true))
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

/// The type of values that are given for one of this type, which has them in a form of its own.
fn of_values(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::Duration(_) | DataType::Interval(_) => INTERVAL,
        DataType::Dictionary(_, value) => of_values(value),
        DataType::RunEndEncoded(_, value) => of_values(value.data_type()),
        list => element(list).map_or_else(|| list.clone(), |item| list_of(of_values(item))),
    }
}

fn not_unique(operation: &str) -> DataFusionError {
    Failure::new(Fault::AmbiguousFunction, format!("operator is not unique: {operation}; cast the parameter")).into()
}
