//! Functions that a statement calls and that there are not. PostgreSQL tells of them with the types of what they are called
//! with, which are known once the statement is planned: others stand in for them until then.

use std::{ops::ControlFlow, sync::Arc};

use datafusion::{
    catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider},
    common::{DFSchema, DataFusionError, Result as PlanResult},
    execution::{FunctionRegistry, SessionState},
    logical_expr::LogicalPlan,
    sql::{
        parser::Statement as SqlStatement,
        sqlparser::{
            ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, TableFactor, VisitorMut},
            tokenizer::Location,
        },
    },
};

use super::{Scope, callable, rewrite::visit};
use crate::{Error, Fault, Result, error::function_hint, planning};

/// Names that the planner has made something of before it looks for a function.
const OF_THE_PLANNER: &[&str] = &["make_map", "map", "unnest", "unnest_outer"];

/// The functions that a statement calls and that there are not, in the order in which they are written.
#[derive(Debug, Default)]
pub(super) struct Missing(Vec<Called>);

#[derive(Debug, Clone)]
struct Called {
    name: String,
    place: Option<Location>,
}

impl Missing {
    /// Puts others in the places of those that a statement calls and that there are not.
    pub(super) fn stand_in(statement: &mut SqlStatement, state: &mut SessionState, scope: &Arc<Scope>) -> Result<Self> {
        let mut calls = Calls { state, called: Vec::new(), in_from: Vec::new() };
        visit(statement, &mut calls)?;
        let Calls { called, in_from, .. } = calls;
        for Called { name, .. } in &called {
            // A name that is there already gives way.
            let _ = state.register_udf(Arc::new(planning::stand_in(name)));
        }
        for (names, called) in in_from {
            let function = Arc::new(MissingRows { called, scope: Arc::clone(scope) });
            for name in names {
                state.register_udtf(&name, Arc::clone(&function) as Arc<dyn TableFunctionImpl>);
            }
        }
        Ok(Self(called))
    }

    /// What is told of them, if there are any. Where what they are called with is wrong, that is told.
    pub(super) fn error(&self, planned: &PlanResult<LogicalPlan>, scope: &Scope) -> Option<Error> {
        let first = self.0.first()?;
        let call = match planned {
            Ok(plan) => planning::missing_call(plan).ok().flatten(),
            Err(error) => match error.find_root() {
                DataFusionError::SchemaError(..) | DataFusionError::External(_) => return None,
                DataFusionError::Plan(text) if text.starts_with("table ") => return None,
                _ => None,
            },
        };
        let called = call.as_ref().and_then(|call| self.0.iter().find(|called| called.name == call.name));
        Some(undefined(called.unwrap_or(first), call.map(|call| call.types), scope))
    }
}

/// As PostgreSQL says it; without types where they are not known.
fn undefined(called: &Called, types: Option<Vec<String>>, scope: &Scope) -> Error {
    let types = types.map(|types| format!("({})", types.join(", "))).unwrap_or_default();
    let message = format!("function {}{types} does not exist", called.name);
    let names = callable::names(scope);
    let hint = function_hint(&called.name, names.iter().map(String::as_str));
    let error = Error::Statement { fault: Fault::UndefinedFunction, message, hint: Some(hint) };
    match (scope.within.last(), called.place) {
        (Some(view), _) => error.within_view(view),
        (None, Some(place)) => error.at(place),
        (None, None) => error,
    }
}

/// Looks for the calls of a statement.
struct Calls<'a> {
    state: &'a SessionState,
    called: Vec<Called>,
    /// Those in FROM, with the names that the planner may look for.
    in_from: Vec<(Vec<String>, Called)>,
}

impl Calls<'_> {
    fn knows(&self, name: &str) -> bool {
        self.state.scalar_functions().contains_key(name)
            || self.state.aggregate_functions().contains_key(name)
            || self.state.window_functions().contains_key(name)
            || self.state.higher_order_functions().contains_key(name)
            || OF_THE_PLANNER.contains(&name)
            || callable::is_of_rows(name)
    }

    /// Whether a name is that of a window function alone.
    fn is_of_windows(&self, name: &str) -> bool {
        self.state.window_functions().contains_key(name)
            && !self.state.scalar_functions().contains_key(name)
            && !self.state.aggregate_functions().contains_key(name)
    }
}

impl VisitorMut for Calls<'_> {
    type Break = Error;

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        // What is called without parentheses may be a column.
        if let Expr::Function(function) = expression
            && let FunctionArguments::List(arguments) = &mut function.args
        {
            let name = called_name(&function.name);
            if !self.knows(&name) {
                // Of these nothing is known but that the function does not exist.
                arguments.args.retain(|argument| !is_wildcard(argument));
                for argument in &mut arguments.args {
                    if let FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. } = argument {
                        *argument = FunctionArg::Unnamed(arg.clone());
                    }
                }
                self.called.push(Called { name, place: place_of(&function.name) });
            } else if function.over.is_none() && self.is_of_windows(&name) {
                let message = format!("window function {name} requires an OVER clause");
                let error = Error::new(Fault::WrongObjectType, message);
                return ControlFlow::Break(match place_of(&function.name) {
                    Some(place) => error.at(place),
                    None => error,
                });
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        if let TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } = &*factor {
            let called = called_name(name);
            if !self.state.table_functions().contains_key(&called) && !callable::is_of_rows(&called) {
                let first = name.0.first().and_then(|part| part.as_ident()).map(ToString::to_string);
                let last = name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.clone());
                let known = self.state.table_functions();
                let asked = first.into_iter().chain(last).chain([called.clone()]);
                let names = asked.filter(|name| !known.contains_key(name)).collect();
                self.in_from.push((names, Called { name: called, place: place_of(name) }));
            }
        }
        ControlFlow::Continue(())
    }
}

fn is_wildcard(argument: &FunctionArg) -> bool {
    let (FunctionArg::Unnamed(value)
    | FunctionArg::Named { arg: value, .. }
    | FunctionArg::ExprNamed { arg: value, .. }) = argument;
    !matches!(value, FunctionArgExpr::Expr(_))
}

/// A function's name as the planner looks for it.
fn called_name(name: &ObjectName) -> String {
    match name.0.as_slice() {
        [part] => match part.as_ident() {
            Some(ident) if ident.quote_style.is_some() => ident.value.clone(),
            Some(ident) => ident.value.to_ascii_lowercase(),
            None => part.to_string(),
        },
        _ => name.to_string(),
    }
}

fn place_of(name: &ObjectName) -> Option<Location> {
    Some(name.0.first()?.as_ident()?.span.start)
}

/// What stands in for a function in FROM.
#[derive(Debug)]
struct MissingRows {
    called: Called,
    scope: Arc<Scope>,
}

impl TableFunctionImpl for MissingRows {
    fn call_with_args(&self, arguments: TableFunctionArgs<'_, '_>) -> PlanResult<Arc<dyn TableProvider>> {
        let types = planning::spelled_types(arguments.exprs(), &DFSchema::empty());
        if self.scope.session_function(&self.called.name).is_some() {
            let (name, types) = (&self.called.name, types.join(", "));
            let message = format!("function {name}({types}) is not supported in FROM; call it in SELECT");
            return Err(Error::new(Fault::FeatureNotSupported, message).into());
        }
        Err(undefined(&self.called, Some(types), &self.scope).into())
    }
}
