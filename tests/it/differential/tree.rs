//! Queries as trees: what the generator builds, what is written as SQL, and what the minimiser cuts down.

use std::fmt::Write as _;

/// What a column holds, as far as generating and comparing must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Int,
    Text,
    Bool,
    Float,
    Numeric,
    Date,
    Timestamp,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] =
        [Self::Int, Self::Text, Self::Bool, Self::Float, Self::Numeric, Self::Date, Self::Timestamp];

    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Int => "INT",
            Self::Text => "TEXT",
            Self::Bool => "BOOLEAN",
            Self::Float => "DOUBLE PRECISION",
            Self::Numeric => "NUMERIC(10, 2)",
            Self::Date => "DATE",
            Self::Timestamp => "TIMESTAMP",
        }
    }
}

/// A constant, which may be sent as a parameter.
#[derive(Clone)]
pub(crate) struct Literal {
    pub(crate) kind: Kind,
    /// None is NULL.
    pub(crate) value: Option<String>,
    /// Whether it stands where its type is told by what it is compared with.
    pub(crate) bare: bool,
    pub(crate) parameter: bool,
    /// The type that a client may say the parameter has.
    pub(crate) declared: Declared,
}

/// A type that a client declares for a parameter, with the value that it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Declared {
    /// What the server takes it for.
    #[default]
    Inferred,
    /// The type of this name, and the value as it is.
    As(&'static str),
    /// The type of this name, and a half more.
    HalfMore(&'static str),
}

impl Literal {
    /// The type that a cast of it names.
    fn type_name(&self) -> &'static str {
        let fits = self.value.as_ref().is_none_or(|value| value.parse::<i32>().is_ok());
        match self.kind {
            Kind::Int if !fits => "BIGINT",
            kind => kind.type_name(),
        }
    }

    /// The literal with the value that goes with its declared type.
    pub(crate) fn as_declared(&self) -> Self {
        let value = match (&self.value, self.declared) {
            (Some(value), Declared::HalfMore(_)) => {
                let number: f64 = value.parse().expect("half more than a number");
                Some((number + 0.5).to_string())
            }
            (value, _) => value.clone(),
        };
        Self { value, ..self.clone() }
    }

    pub(crate) fn sql(&self) -> String {
        let Some(value) = &self.value else {
            return if self.bare { "NULL".to_owned() } else { format!("CAST(NULL AS {})", self.type_name()) };
        };
        let quoted = format!("'{}'", value.replace('\'', "''"));
        let is_plain = value.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte)) && value.len() < 15;
        let signed = if value.starts_with('-') { format!("({value})") } else { value.clone() };
        match self.kind {
            Kind::Int if is_plain => signed,
            Kind::Text => quoted,
            Kind::Bool => value.clone(),
            Kind::Float | Kind::Numeric if self.bare && is_plain => signed,
            Kind::Date | Kind::Timestamp if self.bare => quoted,
            Kind::Date => format!("DATE {quoted}"),
            Kind::Timestamp => format!("TIMESTAMP {quoted}"),
            _ => format!("CAST({quoted} AS {})", self.type_name()),
        }
    }
}

#[derive(Clone)]
pub(crate) enum Expr {
    Literal(Literal),
    Parts(Kind, Vec<Part>),
}

#[derive(Clone)]
pub(crate) enum Part {
    Text(String),
    Expr(Box<Expr>),
    Query(Box<Query>),
    /// One or more, with commas between them.
    List(Vec<Expr>),
    /// What may be left out.
    Optional(Vec<Part>),
}

impl From<Expr> for Part {
    fn from(expr: Expr) -> Self {
        Self::Expr(Box::new(expr))
    }
}

impl From<Query> for Part {
    fn from(query: Query) -> Self {
        Self::Query(Box::new(query))
    }
}

impl From<Vec<Expr>> for Part {
    fn from(list: Vec<Expr>) -> Self {
        Self::List(list)
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// The template's text with the parts in the places of its `{}`.
pub(crate) fn filled(template: &str, parts: Vec<Part>) -> Vec<Part> {
    let mut result = Vec::new();
    let (texts, mut parts) = (template.split("{}"), parts.into_iter());
    for (index, text) in texts.enumerate() {
        if index > 0 {
            result.push(parts.next().expect("a part for each place of the template"));
        }
        if !text.is_empty() {
            result.push(Part::Text(text.to_owned()));
        }
    }
    assert!(parts.next().is_none(), "{template}: more parts than places");
    result
}

/// An expression of a kind by a template: `form!(Kind::Bool, "{} = {}", left, right)`.
macro_rules! form {
    ($kind:expr, $template:expr $(, $part:expr)* $(,)?) => {
        $crate::differential::tree::Expr::Parts(
            $kind,
            $crate::differential::tree::filled($template, vec![$($crate::differential::tree::Part::from($part)),*]),
        )
    };
}
pub(crate) use form;

impl Expr {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Literal(literal) => literal.kind,
            Self::Parts(kind, _) => *kind,
        }
    }

    pub(crate) fn column(kind: Kind, name: String) -> Self {
        Self::Parts(kind, vec![Part::Text(name)])
    }

    pub(crate) fn sql(&self) -> String {
        let mut writer = Writer::plain();
        writer.expr(self);
        writer.sql
    }
}

#[derive(Clone)]
pub(crate) struct Query {
    pub(crate) recursive: bool,
    pub(crate) with: Vec<Cte>,
    pub(crate) body: Body,
    /// Columns by index, each with its direction.
    pub(crate) order: Vec<(usize, &'static str)>,
    /// What else it is ordered by; nothing is compared by these.
    pub(crate) more_order: Vec<Expr>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: Option<usize>,
}

#[derive(Clone)]
pub(crate) struct Cte {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    /// Nothing, or whether it is to be materialized.
    pub(crate) hint: &'static str,
    pub(crate) query: Query,
}

#[derive(Clone)]
pub(crate) enum Body {
    Select(Box<Select>),
    Set { left: Box<Query>, operator: &'static str, right: Box<Query>, bare: bool },
    Values(Vec<Vec<Expr>>),
}

#[derive(Clone, Default)]
pub(crate) struct Select {
    pub(crate) distinct: bool,
    pub(crate) distinct_on: Vec<Expr>,
    pub(crate) items: Vec<Item>,
    pub(crate) from: Option<FromItem>,
    pub(crate) filter: Option<Expr>,
    pub(crate) keys: Vec<Expr>,
    pub(crate) grouping: Grouping,
    pub(crate) having: Option<Expr>,
}

#[derive(Clone, Default)]
pub(crate) enum Grouping {
    #[default]
    Plain,
    Rollup,
    Cube,
    /// Each set by the indexes of its keys.
    Sets(Vec<Vec<usize>>),
}

#[derive(Clone)]
pub(crate) enum Item {
    One { expr: Expr, name: Option<String> },
    Star { text: String, kinds: Vec<Kind> },
}

#[derive(Clone)]
pub(crate) enum FromItem {
    Table {
        name: String,
        alias: String,
    },
    Derived {
        query: Box<Query>,
        alias: String,
        columns: Vec<String>,
        lateral: bool,
    },
    /// A function that returns rows, with its alias.
    Call {
        parts: Vec<Part>,
        alias: String,
    },
    Join {
        left: Box<FromItem>,
        word: &'static str,
        right: Box<FromItem>,
        on: On,
    },
}

#[derive(Clone)]
pub(crate) enum On {
    Nothing,
    Condition(Expr),
    Using(Vec<String>),
}

impl Query {
    pub(crate) fn new(body: Body) -> Self {
        let (order, more_order) = (Vec::new(), Vec::new());
        Self { recursive: false, with: Vec::new(), body, order, more_order, limit: None, offset: None }
    }

    pub(crate) fn select(select: Select) -> Self {
        Self::new(Body::Select(Box::new(select)))
    }

    /// What its columns hold.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        match &self.body {
            Body::Select(select) => {
                let kinds = select.items.iter().map(|item| match item {
                    Item::One { expr, .. } => vec![expr.kind()],
                    Item::Star { kinds, .. } => kinds.clone(),
                });
                kinds.flatten().collect()
            }
            Body::Set { left, .. } => left.kinds(),
            Body::Values(rows) => rows[0].iter().map(Expr::kind).collect(),
        }
    }

    pub(crate) fn sql(&self) -> String {
        let mut writer = Writer::plain();
        writer.query(self);
        writer.sql
    }

    /// The query with parameters, and what they stand for.
    pub(crate) fn with_parameters(&self) -> (String, Vec<Literal>) {
        let mut writer = Writer { sql: String::new(), parameters: Some(Vec::new()) };
        writer.query(self);
        (writer.sql, writer.parameters.unwrap_or_default())
    }

    /// Whether it stands beside a set operator without parentheses.
    fn is_plain(&self) -> bool {
        self.with.is_empty() && self.order.is_empty() && self.more_order.is_empty() && self.limit.is_none()
    }
}

/// Writes trees as SQL.
struct Writer {
    sql: String,
    parameters: Option<Vec<Literal>>,
}

impl Writer {
    fn plain() -> Self {
        Self { sql: String::new(), parameters: None }
    }

    fn text(&mut self, text: &str) {
        self.sql.push_str(text);
    }

    fn separated<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.text(", ");
            }
            each(self, item);
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Literal(literal) => self.literal(literal),
            Expr::Parts(_, parts) => self.parts(parts),
        }
    }

    fn literal(&mut self, literal: &Literal) {
        match &mut self.parameters {
            Some(parameters) if literal.parameter => {
                parameters.push(literal.clone());
                let number = parameters.len();
                match literal.bare {
                    true => write!(self.sql, "${number}").expect("a String takes text"),
                    false => {
                        write!(self.sql, "CAST(${number} AS {})", literal.type_name()).expect("a String takes text")
                    }
                }
            }
            _ => self.text(&literal.sql()),
        }
    }

    fn parts(&mut self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Text(text) => self.text(text),
                Part::Expr(expr) => self.expr(expr),
                Part::Query(query) => self.query(query),
                Part::List(list) => self.separated(list, |writer, expr| writer.expr(expr)),
                Part::Optional(parts) => self.parts(parts),
            }
        }
    }

    fn query(&mut self, query: &Query) {
        if !query.with.is_empty() {
            self.text(if query.recursive { "WITH RECURSIVE " } else { "WITH " });
            self.separated(&query.with, |writer, cte| {
                writer.text(&cte.name);
                if !cte.columns.is_empty() {
                    writer.text(&format!("({})", cte.columns.join(", ")));
                }
                writer.text(&format!(" AS {}(", cte.hint));
                writer.query(&cte.query);
                writer.text(")");
            });
            self.text(" ");
        }
        self.body(&query.body);
        if !(query.order.is_empty() && query.more_order.is_empty()) {
            self.text(" ORDER BY ");
            self.separated(&query.order, |writer, (column, direction)| {
                writer.text(&format!("{}{direction}", column + 1));
            });
            if !query.order.is_empty() && !query.more_order.is_empty() {
                self.text(", ");
            }
            self.separated(&query.more_order, |writer, expr| writer.expr(expr));
        }
        for (word, number) in [("LIMIT", query.limit), ("OFFSET", query.offset)] {
            if let Some(number) = number {
                self.text(&format!(" {word} "));
                // Every other one is a parameter, where there are any.
                let parameter = self.parameters.as_ref().is_some_and(|before| (before.len() + number) % 2 == 0);
                let (value, declared) = (Some(number.to_string()), Declared::As("int8"));
                self.literal(&Literal { kind: Kind::Int, value, bare: true, parameter, declared });
            }
        }
    }

    fn body(&mut self, body: &Body) {
        match body {
            Body::Select(select) => self.select(select),
            Body::Set { left, operator, right, bare } => {
                self.operand(left, *bare);
                self.text(&format!(" {operator} "));
                self.operand(right, *bare);
            }
            Body::Values(rows) => {
                self.text("VALUES ");
                self.separated(rows, |writer, row| {
                    writer.text("(");
                    writer.separated(row, |writer, expr| writer.expr(expr));
                    writer.text(")");
                });
            }
        }
    }

    fn operand(&mut self, query: &Query, bare: bool) {
        match query.is_plain() && (bare || !matches!(query.body, Body::Set { .. })) {
            true => self.query(query),
            false => {
                self.text("(");
                self.query(query);
                self.text(")");
            }
        }
    }

    fn select(&mut self, select: &Select) {
        self.text("SELECT ");
        if select.distinct {
            self.text("DISTINCT ");
        }
        if !select.distinct_on.is_empty() {
            self.text("DISTINCT ON (");
            self.separated(&select.distinct_on, |writer, expr| writer.expr(expr));
            self.text(") ");
        }
        self.separated(&select.items, |writer, item| match item {
            Item::One { expr, name } => {
                writer.expr(expr);
                if let Some(name) = name {
                    writer.text(&format!(" AS {name}"));
                }
            }
            Item::Star { text, .. } => writer.text(text),
        });
        if let Some(from) = &select.from {
            self.text(" FROM ");
            self.from(from);
        }
        if let Some(filter) = &select.filter {
            self.text(" WHERE ");
            self.expr(filter);
        }
        if !select.keys.is_empty() {
            self.text(" GROUP BY ");
            self.grouping(select);
        }
        if let Some(having) = &select.having {
            self.text(" HAVING ");
            self.expr(having);
        }
    }

    fn grouping(&mut self, select: &Select) {
        let word = match &select.grouping {
            Grouping::Plain => return self.separated(&select.keys, |writer, key| writer.expr(key)),
            Grouping::Rollup => "ROLLUP",
            Grouping::Cube => "CUBE",
            Grouping::Sets(sets) => {
                self.text("GROUPING SETS (");
                self.separated(sets, |writer, set| {
                    writer.text("(");
                    let keys: Vec<&Expr> = set.iter().filter_map(|&key| select.keys.get(key)).collect();
                    writer.separated(&keys, |writer, key| writer.expr(key));
                    writer.text(")");
                });
                return self.text(")");
            }
        };
        self.text(&format!("{word} ("));
        self.separated(&select.keys, |writer, key| writer.expr(key));
        self.text(")");
    }

    fn from(&mut self, from: &FromItem) {
        match from {
            FromItem::Table { name, alias } => self.text(&format!("{name} {alias}")),
            FromItem::Derived { query, alias, columns, lateral } => {
                self.text(if *lateral { "LATERAL (" } else { "(" });
                self.query(query);
                self.text(&format!(") AS {alias}({})", columns.join(", ")));
            }
            FromItem::Call { parts, alias } => {
                self.parts(parts);
                if !alias.is_empty() {
                    self.text(&format!(" AS {alias}"));
                }
            }
            FromItem::Join { left, word, right, on } => {
                self.from(left);
                self.text(&format!(" {word} "));
                let nested = matches!(**right, FromItem::Join { .. });
                self.text(if nested { "(" } else { "" });
                self.from(right);
                self.text(if nested { ")" } else { "" });
                match on {
                    On::Nothing => {}
                    On::Condition(condition) => {
                        self.text(" ON ");
                        self.expr(condition);
                    }
                    On::Using(columns) => self.text(&format!(" USING ({})", columns.join(", "))),
                }
            }
        }
    }
}
