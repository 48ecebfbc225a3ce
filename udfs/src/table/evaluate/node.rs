//! The logical node of `evaluate` with an input.

use std::{cmp::Ordering, fmt, sync::Arc};

use arrow::datatypes::{DataType, Schema};
use datafusion::{
    common::{DFSchema, DFSchemaRef, Result},
    logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore},
    physical_plan::ExecutionPlan,
};
use serde::{Deserialize, Serialize};

use super::EvaluateExec;
use crate::{
    arguments::find_column,
    error::Error,
    frame::{BoundColumn, ColumnKind, bind, trained_type, type_name},
    models::{ColumnRole, ModelRef, ModelVersion, TargetSignature},
    plan::{Node, only_input},
    table::metrics,
};

const FUNCTION: &str = "evaluate";

/// An evaluation that may be run: the model's columns are found in the input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Request {
    /// The model.
    pub model: ModelRef,
    /// Its features in the input.
    pub features: Vec<BoundColumn>,
    /// The user, the item and the target in the input. They have dictionaries of their own, as unknown users must be told
    /// apart.
    pub outcome: Vec<(BoundColumn, ColumnKind)>,
}

/// An evaluation of a model on an input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EvaluateNode {
    input: LogicalPlan,
    request: Arc<Request>,
    schema: DFSchemaRef,
}

impl EvaluateNode {
    pub(super) fn plan(input: LogicalPlan, model: &ModelVersion) -> Result<LogicalPlan> {
        let request = Arc::new(request(input.schema().as_arrow(), model)?);
        let schema = Arc::new(DFSchema::try_from(metrics::schema())?);
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(Self { input, request, schema }) }))
    }
}

fn request(input: &Schema, model: &ModelVersion) -> Result<Request, Error> {
    let reference = model.reference();
    let signature = &model.signature;
    let required = [ColumnRole::User, ColumnRole::Item, ColumnRole::Context];
    let optional = [ColumnRole::UserFeature, ColumnRole::ItemFeature];
    let bound = bind(FUNCTION, &reference, signature, input, &required, &optional)?;
    let mut features = Vec::new();
    let mut outcome = Vec::new();
    for column in bound {
        let known = signature.column(&column.column);
        let key = known.filter(|known| matches!(known.role, ColumnRole::User | ColumnRole::Item));
        match key.and_then(|key| ColumnKind::category(&key.data_type)) {
            Some(kind) => outcome.push((column, kind)),
            None => features.push(column),
        }
    }
    if let Some(target) = &signature.target {
        outcome.push(bind_target(input, &reference, target)?);
    }
    Ok(Request { model: reference, features, outcome })
}

fn bind_target(input: &Schema, model: &ModelRef, target: &TargetSignature) -> Result<(BoundColumn, ColumnKind), Error> {
    let found = match find_column(FUNCTION, None, &target.name, input) {
        Err(Error::UndefinedColumn { columns, .. }) => {
            let column = format!("{}, the target of the model {model}", target.name);
            return Err(Error::UndefinedColumn { function: FUNCTION, argument: None, column, columns });
        }
        other => other?,
    };
    let field = input.field_with_name(&found).map_err(|error| Error::Internal(error.to_string()))?;
    let data_type = trained_type(field.data_type());
    let kind = ColumnKind::natural(&target.data_type).filter(|_| {
        data_type == DataType::Null || ColumnKind::natural(&data_type) == ColumnKind::natural(&target.data_type)
    });
    let kind = kind.ok_or_else(|| Error::ColumnType {
        function: FUNCTION,
        column: found.clone(),
        found: type_name(&data_type),
        expected: format!("the target of the model {model} is {}, so cast it", type_name(&target.data_type)),
    })?;
    Ok((BoundColumn { column: target.name.clone(), input: found }, kind))
}

impl UserDefinedLogicalNodeCore for EvaluateNode {
    fn name(&self) -> &str {
        "Evaluate"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Evaluate: {}", self.request.model)
    }

    fn with_exprs_and_inputs(&self, _expressions: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Self { input: only_input("Evaluate", &inputs)?, ..self.clone() })
    }

    /// The metrics need the model's columns alone, whichever metrics are read.
    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let used = self.request.features.iter().chain(self.request.outcome.iter().map(|(column, _)| column));
        let positions = used.map(|column| self.input.schema().index_of_column_by_name(None, &column.input));
        positions.collect::<Option<Vec<_>>>().map(|positions| vec![positions])
    }
}

impl PartialOrd for EvaluateNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.request.partial_cmp(&other.request).filter(|order| *order != Ordering::Equal || self == other)
    }
}

impl Node for EvaluateNode {
    fn physical(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(EvaluateExec::new(only_input("Evaluate", inputs)?, self.request.clone())))
    }
}
