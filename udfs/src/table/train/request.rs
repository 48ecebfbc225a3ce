//! What a training is asked for: the arguments, checked against the types of the input.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Schema};
use datafusion::{common::tree_node::TreeNodeRecursion, logical_expr::LogicalPlan};
use fusewire_learn::{HYPERPARAMETERS, Options, ValidOptions};
use serde::{Deserialize, Serialize};

use crate::{
    arguments::{Arguments, find_column},
    error::{Error, Result},
    frame::{CategoryType, ColumnKind, type_name},
    models::{ModelName, Models},
};

const FUNCTION: &str = "train";

/// A training that may be run: its options are valid and its columns exist and have types that suit their parts.
#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Request {
    /// The schema the model goes to.
    pub schema: String,
    /// The model's name.
    pub name: String,
    /// Whether the new version becomes the live one.
    pub promote: bool,
    /// The column to predict.
    pub target: Option<String>,
    /// The column that says who.
    pub user: Option<String>,
    /// The column that says what.
    pub item: Option<String>,
    /// The column that says when.
    pub time: Option<String>,
    /// What to minimise, if it is given.
    pub objective: Option<String>,
    /// Columns that describe the user.
    pub user_columns: Vec<String>,
    /// Columns that describe the item.
    pub item_columns: Vec<String>,
    /// Integer columns that are categories.
    pub categories: Vec<String>,
    /// Text columns that are read word by word.
    pub text: Vec<String>,
    /// The column that scales a row's loss.
    pub weight: Option<String>,
    /// The column summed up a pair.
    pub strength: Option<String>,
    /// How rows are held out, if it is given.
    pub split: Option<String>,
    /// The share of rows to hold out.
    pub test_size: Option<f64>,
    /// The seed of everything random.
    pub seed: u64,
    /// Whether to train again on all rows after the evaluation.
    pub refit: bool,
    /// The given hyperparameters.
    pub hyperparameters: Vec<(String, f64)>,
    /// The arguments as text, for the catalog.
    pub options: BTreeMap<String, String>,
    /// The tables that the input reads, for the catalog.
    pub sources: Vec<String>,
    /// The call, for the catalog.
    pub sql: String,
}

impl Request {
    /// Reads the arguments of a call over this input.
    pub(super) fn read(arguments: &Arguments, input: &LogicalPlan, models: &dyn Models) -> Result<Self> {
        let schema = input.schema().as_arrow();
        let kind = arguments.required_text("kind")?;
        if kind != "embedding" {
            return Err(arguments.invalid("kind", format!("is '{kind}', expected 'embedding'")));
        }
        let name = ModelName::parse(&arguments.required_text("model")?)?;
        if let Some(version) = name.version {
            let problem =
                format!("names version {version}, but training makes the next version itself; leave out @{version}");
            return Err(arguments.invalid("model", problem));
        }
        let mut hyperparameters = Vec::new();
        for known in HYPERPARAMETERS {
            if let Some(value) = arguments.double(known.name)? {
                hyperparameters.push((known.name.to_owned(), value));
            }
        }
        let seed = arguments.integer("seed")?.unwrap_or(42);
        let seed = u64::try_from(seed)
            .map_err(|_| arguments.invalid("seed", format!("is {seed}, expected a number from 0")))?;
        let request = Self {
            schema: models.check_new(&name)?,
            name: name.name,
            promote: arguments.boolean("promote")?,
            target: arguments.column("target", schema)?,
            user: arguments.column("user", schema)?,
            item: arguments.column("item", schema)?,
            time: arguments.column("time", schema)?,
            objective: arguments.text("objective")?,
            user_columns: arguments.columns("user_columns", schema)?,
            item_columns: arguments.columns("item_columns", schema)?,
            categories: arguments.columns("categories", schema)?,
            text: arguments.columns("text", schema)?,
            weight: arguments.column("weight", schema)?,
            strength: arguments.column("strength", schema)?,
            split: arguments.text("split")?.map(|split| exact_split(&split, schema)).transpose()?,
            test_size: arguments.double("test_size")?,
            seed,
            refit: arguments.boolean("refit")?,
            hyperparameters,
            options: arguments.given().map(|(name, value)| (name.to_owned(), value)).collect(),
            sources: sources(input)?,
            sql: arguments.sql().to_owned(),
        };
        // Without the values of its parameters a call can be described, and not yet judged.
        if arguments.unbound().is_empty() {
            request.options(schema)?;
            request.kinds(schema)?;
        }
        Ok(request)
    }

    /// The options as the learning code takes them.
    pub(super) fn options(&self, schema: &Schema) -> Result<ValidOptions> {
        let target_type = self.target.as_ref().and_then(|target| schema.field_with_name(target).ok());
        let options = Options {
            objective: self.objective.clone(),
            target: self.target.clone(),
            integer_target: target_type.is_some_and(|field| {
                ColumnKind::category(field.data_type()) == Some(ColumnKind::Category(CategoryType::Integer))
            }),
            user: self.user.clone(),
            item: self.item.clone(),
            time: self.time.clone(),
            weight: self.weight.clone(),
            strength: self.strength.clone(),
            user_columns: self.user_columns.clone(),
            item_columns: self.item_columns.clone(),
            split: self.split.clone(),
            test_size: self.test_size,
            seed: Some(self.seed),
            refit: self.refit,
            hyperparameters: self.hyperparameters.clone(),
        };
        Ok(options.validate()?)
    }

    /// How each column of the input reaches the learning code.
    ///
    /// # Errors
    /// [`Error::ColumnType`] for a column whose type does not suit its part.
    pub(super) fn kinds(&self, schema: &Schema) -> Result<Vec<ColumnKind>> {
        for (argument, names) in [("categories", &self.categories), ("text", &self.text)] {
            let other = [
                ("target", &self.target),
                ("time", &self.time),
                ("weight", &self.weight),
                ("strength", &self.strength),
            ];
            for (part, name) in other {
                if let Some(name) = name.as_ref().filter(|name| names.contains(name)) {
                    let problem = format!("names {name}, which is the {part} and no feature; leave it out");
                    return Err(Error::InvalidArgument { function: FUNCTION, argument: argument.into(), problem });
                }
            }
        }
        if let Some(name) = self.text.iter().find(|name| self.categories.contains(name)) {
            let problem = format!("names {name}, which is in categories too; list it once");
            return Err(Error::InvalidArgument { function: FUNCTION, argument: "text".into(), problem });
        }
        schema.fields().iter().map(|field| self.kind(field.name(), field.data_type())).collect()
    }

    fn kind(&self, name: &str, data_type: &DataType) -> Result<ColumnKind> {
        let is = |part: &Option<String>| part.as_deref() == Some(name);
        let listed = |names: &[String]| names.iter().any(|listed| listed == name);
        let category = ColumnKind::category(data_type);
        let natural = ColumnKind::natural(data_type);
        let number = || (natural == Some(ColumnKind::Number)).then_some(ColumnKind::Number);
        let scalar = || category.filter(|kind| matches!(kind, ColumnKind::Category(_)));
        let (kind, expected) = if is(&self.target) {
            self.target_kind(natural)
        } else if is(&self.user) || is(&self.item) {
            (scalar(), "users and items are text, integers or booleans, so cast it")
        } else if is(&self.time) {
            let integer = scalar().filter(|kind| *kind == ColumnKind::Category(CategoryType::Integer));
            let time = natural.filter(|kind| matches!(kind, ColumnKind::Timestamp | ColumnKind::Number));
            (integer.or(time), "the time is a timestamp, a date or a number, so cast it")
        } else if is(&self.weight) || is(&self.strength) {
            (number(), "weights and strengths are numbers, so cast it")
        } else if self.split.as_ref().and_then(|split| split.strip_prefix("column:")) == Some(name) {
            (
                scalar(),
                "the column of the split is the text 'train', 'test' or 'valid', or a boolean that is true for test",
            )
        } else if listed(&self.text) {
            let text = natural.filter(|kind| *kind == ColumnKind::Category(CategoryType::Text));
            (
                text.map(|_| ColumnKind::Text),
                "only text is read word by word, so leave it out of the argument text or cast it",
            )
        } else if listed(&self.categories) {
            (
                category,
                "categories are text, integers, booleans and lists of them, so leave it out of categories or cast it",
            )
        } else {
            (
                natural,
                "features are text, booleans, numbers, dates, timestamps and lists of text or numbers, so leave the \
                       column out or cast it",
            )
        };
        kind.ok_or_else(|| Error::ColumnType {
            function: FUNCTION,
            column: name.into(),
            found: type_name(data_type),
            expected: expected.into(),
        })
    }

    fn target_kind(&self, natural: Option<ColumnKind>) -> (Option<ColumnKind>, &'static str) {
        let text = natural == Some(ColumnKind::Category(CategoryType::Text));
        if text && self.objective.as_deref() == Some("squared") {
            return (None, "the objective squared predicts numbers, so cast it to a number or leave objective out");
        }
        let kind = natural.filter(|kind| matches!(kind, ColumnKind::Number | ColumnKind::Category(_)));
        (kind, "a target is a number, a boolean or a text of two values, so cast it")
    }
}

/// Equality is that of floating point numbers, none of which is NaN: arguments are finite.
impl Eq for Request {}

impl std::hash::Hash for Request {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.schema, &self.name, &self.sql).hash(state);
    }
}

/// The split with its column's exact name.
fn exact_split(split: &str, schema: &Schema) -> Result<String> {
    match split.split_once(':') {
        Some((rule @ ("group" | "column"), column)) if !column.is_empty() => {
            Ok(format!("{rule}:{}", find_column(FUNCTION, Some("split"), column, schema)?))
        }
        _ => Ok(split.into()),
    }
}

/// The tables that a plan reads, subqueries included.
fn sources(plan: &LogicalPlan) -> Result<Vec<String>> {
    let mut sources = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            sources.push(scan.table_name.to_string());
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map_err(|error| Error::Internal(error.to_string()))?;
    sources.sort();
    sources.dedup();
    Ok(sources)
}
