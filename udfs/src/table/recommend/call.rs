//! From a call of `recommend` to its node: arguments checked, every input brought to what is read of it.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::{
    common::Result,
    logical_expr::{Extension, LogicalPlan, UserDefinedLogicalNode},
    physical_plan::ExecutionPlan,
};

use super::{BOOST, Extra, Key, Ranking, RecommendNode};
use crate::{
    arguments::{Arguments, Kind, Parameter},
    error::Error,
    frame,
    models::{ColumnRole, ColumnSignature, ModelVersion, Models},
    plan,
    planner::TableFunction,
    table::binding,
};

const PARAMETERS: &[Parameter] = &[
    Parameter { name: "model", kind: Kind::Model, default: None, doc: "a model with a user and an item" },
    Parameter {
        name: "users",
        kind: Kind::Relation,
        default: None,
        doc: "the users by the column the model was trained on, with any columns of their side and every context column",
    },
    Parameter { name: "k", kind: Kind::Integer, default: Some("10"), doc: "how many items a user gets, at least 1" },
    Parameter {
        name: "exclude",
        kind: Kind::Relation,
        default: Some("null"),
        doc: "items not to recommend: pairs of user and item, or items alone for everybody",
    },
    Parameter {
        name: "candidates",
        kind: Kind::Relation,
        default: Some("null"),
        doc: "the only items to recommend, new ones with the columns of their side, and optionally a boost of their score",
    },
    Parameter {
        name: "history",
        kind: Kind::Relation,
        default: Some("null"),
        doc: "events after training: user, item, and the target or the strength; users are scored as if trained on them",
    },
    Parameter {
        name: "include_seen",
        kind: Kind::Boolean,
        default: Some("false"),
        doc: "whether items that the user already had may come",
    },
    Parameter {
        name: "max_per",
        kind: Kind::Text,
        default: Some("null"),
        doc: "at most so many items of one value of a category of the item's side, as in 'category:2'",
    },
];

/// The function `recommend`.
#[derive(Debug)]
pub struct Recommend;

impl TableFunction for Recommend {
    fn name(&self) -> &'static str {
        "recommend"
    }

    fn purpose(&self) -> &'static str {
        "finds the best items for every user, best first, without those they already had"
    }

    fn example(&self) -> &'static str {
        "SELECT * FROM recommend('taste', (SELECT 'u42' AS user_id), k => 5)"
    }

    fn returns(&self) -> &'static str {
        "the user column, the item column, rank bigint, score double precision"
    }

    fn parameters(&self) -> Vec<Parameter> {
        PARAMETERS.to_vec()
    }

    fn plan(&self, arguments: &Arguments, models: &dyn Models) -> Result<LogicalPlan> {
        let version = models.resolve(&arguments.required_text("model")?)?;
        let mut ranking = ranking(arguments, &version)?;
        let users = input(
            &version,
            arguments.required_relation("users")?.plan,
            &[ColumnRole::User, ColumnRole::Context],
            &[ColumnRole::UserFeature],
            &[],
        )?;
        let mut extras = Vec::new();
        for extra in [Extra::Exclude, Extra::Candidates, Extra::History] {
            if let Some(relation) = arguments.relation(extra.argument())? {
                extras.push((extra, extra_input(extra, &mut ranking, &version, relation.plan)?));
            }
        }
        let node = RecommendNode::try_new(ranking, users, extras)?;
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
    }

    fn answers_each_row(&self, node: &dyn UserDefinedLogicalNode) -> bool {
        node.as_any().downcast_ref::<RecommendNode>().is_some_and(RecommendNode::has_users_alone)
    }

    fn physical(
        &self,
        node: &dyn UserDefinedLogicalNode,
        inputs: &[Arc<dyn ExecutionPlan>],
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        plan::physical::<RecommendNode>(node, inputs)
    }
}

/// Everything but the relations.
fn ranking(arguments: &Arguments, version: &ModelVersion) -> Result<Ranking, Error> {
    let signature = &version.signature;
    let (Some(user), Some(item)) = (signature.user(), signature.item()) else {
        let problem = format!(
            "recommend needs a model with a user and an item, which {} was not trained with; train with user => and item =>",
            version.name
        );
        return Err(Error::NotSupported(problem));
    };
    for key in [user, item] {
        if ["rank", "score"].contains(&key.name.as_str()) {
            let problem =
                format!("the model's column {} has the name of a result column; train with another name", key.name);
            return Err(Error::DuplicateColumn { function: "recommend", problem });
        }
    }
    let k = arguments.integer("k")?.unwrap_or(10);
    let at_least_one = || arguments.invalid("k", format!("is {k}, expected a whole number from 1"));
    let key = |column: &ColumnSignature| Key { name: column.name.clone(), data_type: column.data_type.clone() };
    Ok(Ranking {
        model: version.reference(),
        user: key(user),
        item: key(item),
        k: usize::try_from(k).ok().filter(|&k| k > 0).ok_or_else(at_least_one)?,
        include_seen: arguments.boolean("include_seen")?,
        max_per: arguments.text("max_per")?.map(|text| max_per(arguments, version, &text)).transpose()?,
        boosted: false,
        history_weight: None,
    })
}

/// Reads `category:2`.
fn max_per(arguments: &Arguments, version: &ModelVersion, text: &str) -> Result<(String, usize), Error> {
    let groups = || {
        let columns = version.signature.columns.iter();
        columns.filter(|column| column.role == ColumnRole::ItemFeature && column.encoding == "category")
    };
    let names: Vec<_> = groups().map(|column| column.name.as_str()).collect();
    let (name, most) = text.rsplit_once(':').ok_or_else(|| {
        arguments.invalid("max_per", format!("is '{text}', expected a column and a number as in 'category:2'"))
    })?;
    let most = most.trim().parse().ok().filter(|&most: &usize| most > 0).ok_or_else(|| {
        arguments.invalid("max_per", format!("allows '{most}' items of one {name}, expected a whole number from 1"))
    })?;
    let exact = groups().find(|column| column.name == name.trim());
    let column = exact.or_else(|| groups().find(|column| column.name.eq_ignore_ascii_case(name.trim())));
    match column {
        Some(column) => Ok((column.name.clone(), most)),
        None if names.is_empty() => {
            let problem =
                format!("groups by {name}, but the model {} has no category of the item's side", version.name);
            Err(arguments.invalid("max_per", problem))
        }
        None => {
            let problem = format!("groups by {name}, expected a category of the item's side: {}", names.join(", "));
            Err(arguments.invalid("max_per", problem))
        }
    }
}

/// The columns of a relation that the model reads, under the model's names.
fn input(
    version: &ModelVersion,
    relation: LogicalPlan,
    required: &[ColumnRole],
    optional: &[ColumnRole],
    numbers: &[String],
) -> Result<LogicalPlan> {
    let relation = binding::with_typed_parameters(relation, &version.signature)?;
    let schema = relation.schema().clone();
    let bound =
        frame::bind("recommend", &version.reference(), &version.signature, schema.as_arrow(), required, optional)?;
    binding::of_model(relation, &version.signature, &bound, numbers)
}

fn extra_input(
    extra: Extra,
    ranking: &mut Ranking,
    version: &ModelVersion,
    relation: LogicalPlan,
) -> Result<LogicalPlan> {
    match extra {
        Extra::Exclude => input(version, relation, &[ColumnRole::Item], &[ColumnRole::User], &[]),
        Extra::Candidates => {
            // A model that was trained on a column of this name reads it as that column.
            let is_feature = version.signature.column(BOOST).is_some();
            let boost = if is_feature { None } else { number(&relation, BOOST)? };
            ranking.boosted = boost.is_some();
            input(version, relation, &[ColumnRole::Item], &[ColumnRole::ItemFeature], boost.as_slice())
        }
        Extra::History => {
            ranking.history_weight = history_weight(version, &relation)?;
            let weight = ranking.history_weight.clone();
            input(version, relation, &[ColumnRole::User, ColumnRole::Item], &[], weight.as_slice())
        }
    }
}

/// The column of the events that says what they count for: the target, or for an implicit model the strength, if any.
fn history_weight(version: &ModelVersion, relation: &LogicalPlan) -> Result<Option<String>, Error> {
    let signature = &version.signature;
    if signature.is_classifier() {
        let problem =
            format!("recommend folds events into squared and implicit models; {} predicts a class", version.name);
        return Err(Error::NotSupported(problem));
    }
    if let Some(target) = &signature.target {
        let schema = relation.schema().as_arrow();
        let name = crate::arguments::find_column("recommend", Some("history"), &target.name, schema)?;
        return number(relation, &name);
    }
    let trained = version.options.get("strength").map(|text| text.trim_matches('\'').to_owned());
    for name in trained.iter().map(String::as_str).chain(["strength"]) {
        if let Some(found) = number(relation, name)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// A column of this exact name, which must hold numbers, if there is one.
fn number(relation: &LogicalPlan, name: &str) -> Result<Option<String>, Error> {
    let Ok(field) = relation.schema().as_arrow().field_with_name(name) else { return Ok(None) };
    if field.data_type().is_numeric() || *field.data_type() == DataType::Null {
        return Ok(Some(name.into()));
    }
    Err(Error::ColumnType {
        function: "recommend",
        column: name.into(),
        found: frame::type_name(field.data_type()),
        expected: "expected a number; cast it".into(),
    })
}
