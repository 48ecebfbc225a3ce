//! One statement: what it reads, for whom, and what stops it.
//!
//! A scope is made once, when a statement starts, and never changes. Whoever plans or runs the statement holds the scope,
//! and nobody who does holds the client: what a statement sees is what there was when it began. Names are resolved here and
//! nowhere else.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, OnceLock},
};

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::{
    catalog::{Session, TableProvider},
    common::{DFSchema, DataFusionError, ParamValues, ScalarValue},
    execution::{FunctionRegistry, SessionState},
    logical_expr::{Expr, LogicalPlan, ScalarUDF},
    sql::{
        parser::Statement as SqlStatement,
        sqlparser::ast::{CastKind, DataType as AstType, Expr as AstExpr, ExprWithAlias, Value},
    },
};
use fusewire_udfs::{FunctionPlanner, Models};
use futures::future::BoxFuture;
use tokio::sync::mpsc::UnboundedSender;

use super::{
    Circumstances, DEFAULT_SCHEMA, Modes, Notice, Reads, Shared, Ticket,
    assignments::{Assignment, Assignments},
    circumstances::has_schema,
    client::{Physical, lock},
    functions,
    missing::Missing,
    providers::{self, Providers},
    rewrite::{cast_told, rewrite, with_microseconds, with_types, without_types},
    search_path::{Name, SearchPath},
    settings::{READ_BY, Settings},
};
use crate::{
    Error, Fault, Result,
    catalog::{Existing, Kind, Object, ObjectKey, Privilege, QualifiedName, Snapshot, View, is_temporary},
    interrupt::Interrupt,
    pgtype::{ColumnType, InSession, Styles},
    planning,
    source::{Access, Rejects, Sources, Stores},
};

/// Views within views. PostgreSQL has no such limit; here planning a chain of views that each compute a column takes time with
/// the cube of its length, which is seconds at this one.
const MAX_VIEW_DEPTH: usize = 200;

/// What one statement reads, for whom, and what stops it.
#[derive(Clone)]
pub(crate) struct Scope {
    /// Who it is, when and under which settings, and what its time is.
    pub(super) circumstances: Arc<Circumstances>,
    pub(super) text: Arc<str>,
    /// The types of its parameters, where fields have to say them.
    pub(super) declared: Arc<[Option<ColumnType>]>,
    /// The zone and the styles that its texts were read by when it was prepared, where they are others now.
    pub(super) written_in: Option<(Arc<str>, Styles)>,
    /// What it sees.
    pub(super) snapshot: Arc<Snapshot>,
    /// In the query of a view, whose rights it has, and where its names are looked for.
    pub(super) made_under: Option<(Arc<str>, Arc<SearchPath>)>,
    /// The schemas of names in the text of a view, which are not looked for along the path again.
    pub(super) meant: Arc<BTreeMap<String, String>>,
    /// In which schemas names were found along the path.
    pub(super) looked_up: Arc<Mutex<BTreeMap<String, String>>>,
    pub(super) access: Arc<Access>,
    /// With what plans and runs it: all but the tables, which this scope provides.
    pub(super) settings: Settings,
    pub(super) shared: Arc<Shared>,
    /// What it may still do.
    pub(super) ticket: Ticket,
    /// Whom it tells what is no part of its result.
    pub(super) notices: UnboundedSender<Notice>,
    pub(super) rejects: Arc<Rejects>,
    /// What it sets beside its rows.
    pub(super) assignments: Arc<Assignments>,
    pub(super) found: Arc<Found>,
    /// The view that it defines anew.
    pub(super) defines: Option<QualifiedName>,
    /// The views that it is in, the outermost first.
    pub(super) within: Arc<Vec<QualifiedName>>,
}

/// What was looked up for a statement, in its views too, and is not looked up again: names are when it is rewritten and once
/// more when it is planned, so that views over views would be planned twice as often with each.
#[derive(Debug, Default)]
pub(super) struct Found {
    stores: OnceLock<Stores>,
    /// Views know what the statement knows that they are in, and so do the functions that are called in them.
    functions: OnceLock<Vec<Arc<ScalarUDF>>>,
    tables: Mutex<HashMap<QualifiedName, Arc<dyn TableProvider>>>,
    reads: Mutex<Reads>,
}

impl Scope {
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Which locations it may open.
    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    /// Its text.
    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// What stops it.
    pub(crate) fn interrupt(&self) -> &Interrupt {
        &self.circumstances.interrupt
    }

    /// Whether it is cancelled or commits.
    pub(crate) fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// The zone of its clocks.
    pub(crate) fn zone(&self) -> &str {
        self.settings.engine().config_options().execution.time_zone.as_deref().unwrap_or("UTC")
    }

    /// The session that its texts are read in.
    pub(crate) fn reads_in(&self) -> InSession<'_> {
        InSession::of(self.settings.engine().config_options())
    }

    /// The same scope of a statement that was prepared in a session of this zone and these styles, by which its texts were read.
    pub(super) fn written_in(self: &Arc<Self>, zone: &Arc<str>, styles: Styles) -> Arc<Self> {
        if self.reads_in() == (InSession { zone, styles }) {
            return Arc::clone(self);
        }
        Arc::new(Self { written_in: Some((Arc::clone(zone), styles)), ..self.as_ref().clone() })
    }

    /// The plan in which texts are read as when its statement was prepared.
    pub(crate) fn as_prepared(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        match &self.written_in {
            Some((zone, styles)) => Ok(planning::read_written(plan, InSession { zone, styles: *styles })?),
            None => Ok(plan),
        }
    }

    /// The settings that its texts are read by, by name.
    pub(crate) fn reading_settings(&self) -> Result<BTreeMap<String, String>> {
        READ_BY.into_iter().map(|name| Ok((name.to_owned(), self.setting(name)?))).collect()
    }

    /// Whether it is the scope of a view that a view reads.
    pub(super) fn is_of_inner_view(&self) -> bool {
        self.within.len() > 1
    }

    /// How its transaction is run.
    pub(crate) fn modes(&self) -> Modes {
        self.circumstances.modes
    }

    /// What it knows of its session and its transaction.
    pub(crate) fn circumstances(&self) -> &Arc<Circumstances> {
        &self.circumstances
    }

    /// With whose rights it runs.
    pub(super) fn role(&self) -> &Arc<str> {
        self.made_under.as_ref().map_or(&self.circumstances.role, |(owner, _)| owner)
    }

    /// What the scans of its session left out.
    pub(crate) fn rejects(&self) -> &Arc<Rejects> {
        &self.rejects
    }

    /// The query engine's state without tables, as those see it who need not know what it is.
    pub(crate) fn engine(&self) -> &dyn Session {
        self.settings.engine().as_ref()
    }

    /// The scalar functions that know this statement.
    pub(crate) fn own_functions(&self) -> &[Arc<ScalarUDF>] {
        self.found.functions.get_or_init(|| functions::of(self).into_iter().map(Arc::new).collect())
    }

    /// The function `current_setting` that follows what this scope's statement sets.
    pub(crate) fn following_setting(&self) -> Arc<ScalarUDF> {
        Arc::new(functions::following(self))
    }

    /// A scalar function of its session, which knows no statement.
    pub(crate) fn session_function(&self, name: &str) -> Option<&Arc<ScalarUDF>> {
        self.settings.engine().scalar_functions().get(name)
    }

    /// The query engine's state, with the tables and models that this scope finds.
    pub(crate) fn state(self: &Arc<Self>) -> SessionState {
        let mut state = self.without_tables();
        state.register_catalog_list(Arc::new(Providers::new(Arc::clone(self))));
        let models: Arc<dyn Models> = Arc::clone(self) as Arc<dyn Models>;
        // The last to be registered is the first to be asked.
        for planner in [Arc::new(FunctionPlanner::new(models)) as _, Arc::new(planning::Relations) as _] {
            // It can't fail.
            let _ = state.register_relation_planner(planner);
        }
        state
    }

    /// The same for what names no tables.
    fn without_tables(&self) -> SessionState {
        let mut state = SessionState::clone(self.settings.engine());
        for function in self.own_functions() {
            // One that has the name already gives way.
            let _ = state.register_udf(Arc::clone(function));
        }
        state
    }

    /// Where rows of external tables come from.
    pub(crate) fn sources(&self) -> &Sources {
        &self.shared.sources
    }

    /// How it reaches buckets: with the secrets of its snapshot.
    pub(crate) fn stores(&self) -> &Stores {
        self.found.stores.get_or_init(|| {
            let stores = self.circumstances.stores(Arc::clone(&self.shared.runtime));
            stores.with_looks(Arc::clone(&self.shared.looks)).with_rejects(Arc::clone(&self.rejects))
        })
    }

    /// Tells the client something beside the result; nobody listening is no error.
    pub(crate) fn notify(&self, notice: Notice) {
        let _ = self.notices.send(notice);
    }

    /// From now on it may set settings while it runs, which are done when its rows are there.
    pub(crate) fn open_assignments(&self) {
        self.assignments.open();
    }

    /// What it has set.
    pub(crate) fn assigned(&self) -> Vec<Assignment> {
        self.assignments.take()
    }

    /// Refuses a statement that changes the catalog in a transaction that only reads.
    pub(crate) fn check_writes(&self, statement: &str) -> Result<()> {
        if self.modes().read_only {
            let message = format!("cannot execute {statement} in a read-only transaction");
            return Err(Error::new(Fault::ReadOnlyTransaction, message));
        }
        Ok(())
    }

    /// Plans a statement whose parameters have these types; one that is not known yet is Null.
    pub(crate) fn plan(
        self: &Arc<Self>,
        mut statement: SqlStatement,
        parameters: &[DataType],
    ) -> BoxFuture<'static, Result<LogicalPlan>> {
        let (mut state, scope, parameters) = (self.state(), Arc::clone(self), parameters.to_vec());
        Box::pin(async move {
            cast_told(&mut statement, &scope.declared)?;
            rewrite(&mut statement, &scope, &state).await?;
            let missing = Missing::stand_in(&mut statement, &mut state, &scope)?;
            let planned = state.statement_to_plan(with_types(statement, &parameters, &scope.declared)).await;
            let planned = planned.and_then(|plan| planning::with_integers(without_types(plan)));
            if let Some(error) = missing.error(&planned, &scope) {
                return Err(error);
            }
            planned.map_err(|error| {
                let error = Error::from(error);
                let view = scope.within.last().filter(|_| matches!(error, Error::Query(_)));
                let seen = scope.snapshot.relations().filter(|(name, _)| scope.path().contains(&name.schema));
                let error = error.suggesting_table(seen.map(|(name, _)| name.name.as_str()));
                match view {
                    Some(view) => error.within_view(view),
                    None => error,
                }
            })
        })
    }

    /// Refuses a plan whose operators, functions or types do not fit, as it is refused when it runs. Its parameters have these
    /// types.
    pub(crate) fn check_types(&self, plan: &LogicalPlan, parameters: &[DataType]) -> Result<()> {
        if let LogicalPlan::Explain(explain) = plan {
            return self.check_types(&explain.plan, parameters);
        }
        let mut plan = plan.clone();
        if !parameters.is_empty() {
            let missing = parameters.iter().map(ScalarValue::try_from);
            let missing = missing.collect::<std::result::Result<Vec<_>, DataFusionError>>()?;
            let missing = planning::told_values(&plan, &missing)?;
            plan = plan.with_param_values(ParamValues::List(missing))?;
        }
        let engine = self.settings.engine();
        let analyzed = engine.analyzer().execute_and_check(plan, engine.config_options(), |_, _| {});
        match analyzed.map_err(Error::from) {
            // With a value there may be nothing wrong with it.
            Err(error) if !parameters.is_empty() && !is_of_types(error.fault()) => Ok(()),
            analyzed => analyzed.map(drop),
        }
    }

    /// The types of its parameters, where fields have to say them.
    pub(crate) fn declared(&self) -> &[Option<ColumnType>] {
        &self.declared
    }

    /// The same scope of a statement whose parameters have these types, where fields have to say them.
    pub(crate) fn declaring(self: &Arc<Self>, types: &[Option<ColumnType>]) -> Arc<Self> {
        if *self.declared == *types || self.declared.is_empty() && types.iter().all(Option::is_none) {
            return Arc::clone(self);
        }
        Arc::new(Self { declared: Arc::from(types), ..self.as_ref().clone() })
    }

    /// The operators of a plan, and what they need to run.
    pub(crate) fn physical(&self, plan: LogicalPlan) -> BoxFuture<'static, Result<Physical>> {
        self.operators(plan, false)
    }

    /// The same of a plan that is optimized already.
    pub(crate) fn physical_of_optimized(&self, plan: LogicalPlan) -> BoxFuture<'static, Result<Physical>> {
        self.operators(plan, true)
    }

    fn operators(&self, plan: LogicalPlan, is_optimized: bool) -> BoxFuture<'static, Result<Physical>> {
        let (settings, interrupt) = (self.settings.clone(), self.interrupt().clone());
        Box::pin(async move {
            let engine = settings.engine();
            let plan = if is_optimized { plan } else { engine.optimize(&plan)? };
            let physical = engine.query_planner().create_physical_plan(&plan, engine.as_ref()).await?;
            Ok((interrupt.guard(physical)?, settings.task()))
        })
    }

    /// The plan as the rules of its session make it.
    pub(crate) fn optimize(&self, plan: &LogicalPlan) -> Result<LogicalPlan> {
        Ok(self.settings.engine().optimize(plan)?)
    }

    /// The scope of a view's query: its names are found and its rights are those of whoever owns it.
    pub(super) fn of_view(&self, name: &QualifiedName, owner: &str, view: &View) -> Result<Arc<Self>> {
        let around = || self.defines.iter().chain(self.within.iter());
        if let Some(at) = around().position(|outer| outer == name) {
            let through: Vec<String> = around().skip(at + 1).map(ToString::to_string).collect();
            let through = if through.is_empty() { String::new() } else { format!(" through {}", through.join(", ")) };
            let message = format!("infinite recursion detected in rules for relation {name}: it reads itself{through}");
            return Err(Error::new(Fault::InvalidObjectDefinition, message));
        }
        if self.within.len() >= MAX_VIEW_DEPTH {
            let message = format!(
                "more than {MAX_VIEW_DEPTH} views read one another, down to {name}; store the rows of one of them with \
                 CREATE TABLE AS"
            );
            return Err(Error::new(Fault::LimitExceeded, message));
        }
        let public = || vec![DEFAULT_SCHEMA.to_owned()];
        let path = SearchPath::new(view.search_path.clone().unwrap_or_else(public));
        Ok(Arc::new(Self {
            made_under: Some((Arc::from(owner), Arc::new(path))),
            meant: Arc::new(view.tables.clone()),
            looked_up: Arc::default(),
            written_in: None,
            within: Arc::new(self.within.iter().chain([name]).cloned().collect()),
            ..self.clone()
        }))
    }

    /// The scope in which a view is defined anew: what reads the view that it replaces reads the new one.
    pub(crate) fn of_definition(&self, name: &QualifiedName) -> Arc<Self> {
        Arc::new(Self { defines: Some(name.clone()), ..self.clone() })
    }

    /// An object of the catalog, of which what is planned is made.
    pub(crate) fn find(&self, key: ObjectKey) -> Option<&Arc<Object>> {
        let found = self.snapshot.get(&key);
        lock(&self.found.reads).note(key, found);
        found
    }

    /// What is planned is made of something else, too, which may change although no object does.
    pub(super) fn looks_beside(&self) {
        lock(&self.found.reads).note_other();
    }

    /// What was looked for until now.
    pub(crate) fn reads(&self) -> Reads {
        lock(&self.found.reads).clone()
    }

    /// The table of a name, if it was opened for this statement already.
    pub(super) fn opened(&self, name: &QualifiedName) -> Option<Arc<dyn TableProvider>> {
        lock(&self.found.tables).get(name).cloned()
    }

    /// Keeps a table that was opened for this statement.
    pub(super) fn keep_open(&self, name: QualifiedName, table: Arc<dyn TableProvider>) {
        lock(&self.found.tables).insert(name, table);
    }

    /// Where names without a schema are looked for.
    pub(crate) fn path(&self) -> &[String] {
        self.search_path().schemas()
    }

    pub(super) fn search_path(&self) -> &Arc<SearchPath> {
        self.made_under.as_ref().map_or(&self.circumstances.path, |(_, path)| path)
    }

    /// The object that a name stands for: without a schema that of the first schema on the path that has one. Where there is
    /// none, it is the one that would be created.
    pub(crate) fn named(&self, kind: Kind, name: &Name) -> QualifiedName {
        let within = |schema: &String| QualifiedName::new(schema, &name.name);
        if let Some(schema) = &name.schema {
            return QualifiedName::new(self.meant_schema(schema), &name.name);
        }
        let found = self.path().iter().map(within).find(|name| self.find(kind.key(name.clone())).is_some());
        let own = || self.path().iter().find(|schema| self.snapshot.has_schema(schema) && !is_temporary(schema));
        found.unwrap_or_else(|| own().map_or_else(|| QualifiedName::new(DEFAULT_SCHEMA, &name.name), within))
    }

    /// The schema that has the table or view of a name without one, be it a user's or the system's.
    pub(crate) fn schema_of(self: &Arc<Self>, name: &str) -> Option<String> {
        providers::schema_of(self, name)
    }

    /// The name of an object that is to be created.
    pub(crate) fn new_name(&self, name: &Name) -> Result<QualifiedName> {
        match name.schema.as_deref().or_else(|| self.current_schema()) {
            Some(schema) => Ok(QualifiedName::new(self.meant_schema(schema), &name.name)),
            None => {
                let message = "no schema has been selected to create in";
                let hint = Some("none of those in search_path exists; name one, or SET search_path".to_owned());
                Err(Error::Statement { fault: Fault::UndefinedSchema, message: message.to_owned(), hint })
            }
        }
    }

    /// The first schema on the path that exists and that things are created in which outlive the session.
    pub(crate) fn current_schema(&self) -> Option<&str> {
        self.path().iter().map(String::as_str).find(|schema| self.has_schema(schema) && !is_temporary(schema))
    }

    /// Whether a schema exists, of a user or of the engine.
    pub(crate) fn has_schema(&self, name: &str) -> bool {
        has_schema(&self.snapshot, name)
    }

    /// The schema of a name without one that a view meant when it was made; none if it is to be looked for.
    pub(super) fn meant(&self, name: &str) -> Option<&str> {
        self.meant.get(name).map(String::as_str)
    }

    /// Notes in which schema a name without one was found.
    pub(super) fn note(&self, name: &str, schema: &str) {
        lock(&self.looked_up).insert(name.to_owned(), schema.to_owned());
    }

    /// The schemas of the names without one that were looked up in this scope, but not in its views.
    pub(crate) fn looked_up(&self) -> BTreeMap<String, String> {
        lock(&self.looked_up).clone()
    }

    /// Refuses an object that the role may not use so. Everybody may do everything: what is granted is not asked yet.
    pub(crate) fn check(&self, _privilege: Privilege, _object: &Object) -> Result<()> {
        Ok(())
    }

    /// Whether a relation of this name is there and to be kept; an error where it must not be there.
    pub(crate) fn exists(&self, name: &QualifiedName, existing: Existing) -> Result<bool> {
        let Some(found) = self.snapshot.relation(name) else {
            return Ok(false);
        };
        match existing {
            Existing::Replace => Ok(false),
            Existing::Keep => {
                self.notify_exists(name);
                Ok(true)
            }
            Existing::Refuse => {
                let noun = found.definition.noun();
                let message = format!("{name} already exists, as {noun}; choose another name, or use OR REPLACE");
                Err(Error::new(Fault::DuplicateTable, message))
            }
        }
    }

    /// What a statement says of a relation that is not there.
    pub(crate) fn no_relation(&self, name: &QualifiedName) -> Error {
        Error::new(
            Fault::UndefinedTable,
            format!("relation {name} does not exist; SELECT * FROM fusewire.sources lists those there are"),
        )
    }

    pub(super) fn notify_exists(&self, name: &QualifiedName) {
        let text = format!("relation {name} already exists, skipping");
        self.notify(Notice::Remark { fault: Some(Fault::DuplicateTable), text });
    }

    /// Reads the query of a view.
    pub(crate) fn parse_view(&self, view: &View) -> Result<SqlStatement> {
        let depth = self.shared.config.max_parse_depth;
        match &view.search_path {
            Some(_) => (self.shared.parse_view)(&view.sql, &view.columns, depth),
            // What was kept of it is read as it is.
            None => super::parse_query(&view.sql, depth),
        }
    }

    /// The Arrow type of an SQL type.
    pub(crate) fn data_type(&self, ast: &AstType) -> Result<DataType> {
        Ok(self.type_field(ast)?.data_type().clone())
    }

    /// An SQL type as a field, which says what its Arrow type does not tell of it.
    pub(crate) fn type_field(&self, ast: &AstType) -> Result<FieldRef> {
        let mut wanted = ast.clone();
        with_microseconds(&mut wanted);
        let null = AstExpr::Value(Value::Null.into());
        let kind = CastKind::Cast;
        let cast = AstExpr::Cast { kind, expr: Box::new(null), data_type: wanted, array: false, format: None };
        let written = ExprWithAlias { expr: cast, alias: None };
        match self.settings.engine().create_logical_expr_from_sql_expr(written, &DFSchema::empty())? {
            Expr::Cast(cast) => Ok(cast.field),
            Expr::Literal(value, _) => Ok(Arc::new(Field::new("", value.data_type(), true))),
            other => Err(Error::new(Fault::Internal, format!("the type {ast} was planned as {other}"))),
        }
    }

    /// An expression without columns.
    pub(crate) fn expression(&self, written: AstExpr) -> Result<Expr> {
        let written = ExprWithAlias { expr: written, alias: None };
        Ok(self.without_tables().create_logical_expr_from_sql_expr(written, &DFSchema::empty())?)
    }

    /// Name, value and description of every setting.
    pub(crate) fn settings(&self) -> Vec<(String, String, String)> {
        let all = self.settings.all().into_iter();
        let shown = all.map(|(name, value, description)| {
            let value = self.modes().shown(&name).map_or(value, str::to_owned);
            (name, value, description)
        });
        shown.collect()
    }

    /// The value of a setting.
    pub(crate) fn setting(&self, name: &str) -> Result<String> {
        self.circumstances.setting(name)
    }
}

/// Whether an error is one of types, whatever the values are.
fn is_of_types(fault: Fault) -> bool {
    matches!(fault, Fault::UndefinedFunction | Fault::DatatypeMismatch | Fault::CannotCoerce)
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scope").field("role", self.role()).field("text", &self.text).finish_non_exhaustive()
    }
}
