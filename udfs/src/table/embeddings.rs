//! `embeddings`: the vectors that a model has learnt, as a table.
//!
//! ```sql
//! SELECT item_id, bias, embedding FROM embeddings('taste', 'item_id')
//! ```
//!
//! A row a key of the user, the item or any category; vectors include what side columns contribute. Joined with other
//! tables they are features for any other model.

use std::{cmp::Ordering, fmt, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, Float32Array, Float64Array, ListArray, RecordBatch},
    buffer::OffsetBuffer,
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use datafusion::{
    common::{DFSchema, DFSchemaRef, tree_node::TreeNodeRecursion},
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore},
    physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr},
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchStreamAdapter,
    },
};
use fusewire_learn::NULL;
use futures::{TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::{
    arguments::{Arguments, Kind, Parameter, find_column},
    codec::Portable,
    context::FunctionContext,
    error::Error,
    frame,
    models::{ColumnSignature, ModelRef, Models, Signature},
    plan::{self, Node},
    planner::TableFunction,
};

/// How many rows a batch of the result has.
const BATCH_ROWS: usize = 8192;

const PARAMETERS: &[Parameter] = &[
    Parameter { name: "model", kind: Kind::Model, default: None, doc: "the model" },
    Parameter {
        name: "column",
        kind: Kind::Column,
        default: None,
        doc: "the user's, the item's or a category's column of the training input",
    },
];

/// The function `embeddings`.
#[derive(Debug)]
pub struct Embeddings;

impl TableFunction for Embeddings {
    fn name(&self) -> &'static str {
        "embeddings"
    }

    fn purpose(&self) -> &'static str {
        "returns the vectors that a model has learnt for the user, the item or a category, side columns included"
    }

    fn example(&self) -> &'static str {
        "SELECT item_id, bias, embedding FROM embeddings('taste', 'item_id')"
    }

    fn returns(&self) -> &'static str {
        "the key, bias double precision, embedding real[]"
    }

    fn parameters(&self) -> Vec<Parameter> {
        PARAMETERS.to_vec()
    }

    fn plan(&self, arguments: &Arguments, models: &dyn Models) -> Result<LogicalPlan> {
        let version = models.resolve(&arguments.required_text("model")?)?;
        let column = embedded_column(&version.signature, &arguments.required_text("column")?)?;
        let lookup =
            Embedded { model: version.reference(), column: column.name.clone(), data_type: column.data_type.clone() };
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(EmbeddingsNode::try_new(lookup)?) }))
    }

    fn physical(
        &self,
        node: &dyn UserDefinedLogicalNode,
        inputs: &[Arc<dyn ExecutionPlan>],
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        plan::physical::<EmbeddingsNode>(node, inputs)
    }
}

/// The column that an argument names, if it has embeddings.
fn embedded_column<'a>(signature: &'a Signature, name: &str) -> Result<&'a ColumnSignature, Error> {
    let fields: Vec<_> =
        signature.columns.iter().map(|column| Field::new(&column.name, column.data_type.clone(), true)).collect();
    let name = find_column("embeddings", Some("column"), name, &Schema::new(fields))?;
    let embedded = || signature.columns.iter().filter(|column| column.encoding == "category");
    embedded().find(|column| column.name == name).ok_or_else(|| {
        let names: Vec<_> = embedded().map(|column| column.name.as_str()).collect();
        let problem = format!("is '{name}', which is not a category; expected one of {}", names.join(", "));
        Error::InvalidArgument { function: "embeddings", argument: "column".into(), problem }
    })
}

/// A column whose embeddings are wanted, as plain data that travels in plans.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Embedded {
    model: ModelRef,
    column: String,
    data_type: DataType,
}

impl Embedded {
    fn schema(&self) -> Result<SchemaRef, Error> {
        if ["bias", "embedding"].contains(&self.column.as_str()) {
            let problem = format!(
                "the column {} has the name of a result column; train with another name to read its embeddings",
                self.column
            );
            return Err(Error::DuplicateColumn { function: "embeddings", problem });
        }
        Ok(Arc::new(Schema::new(vec![
            Field::new(&self.column, self.data_type.clone(), true),
            Field::new("bias", DataType::Float64, false),
            Field::new_list("embedding", Field::new("item", DataType::Float32, false), false),
        ])))
    }
}

impl fmt::Display for Embedded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "model={}, column={}", self.model, self.column)
    }
}

/// The logical node of `embeddings`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmbeddingsNode {
    embedded: Embedded,
    schema: DFSchemaRef,
}

impl EmbeddingsNode {
    /// The node for this column.
    ///
    /// # Errors
    /// A column with the name of a result column.
    pub fn try_new(embedded: Embedded) -> Result<Self> {
        let schema = DFSchema::try_from(embedded.schema()?)?.into();
        Ok(Self { embedded, schema })
    }
}

impl PartialOrd for EmbeddingsNode {
    /// Nodes are equal or not comparable: nothing sorts plans by what they look up.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for EmbeddingsNode {
    fn name(&self) -> &str {
        "Embeddings"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        Vec::new()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Embeddings: {}", self.embedded)
    }

    fn with_exprs_and_inputs(&self, _expressions: Vec<Expr>, _inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}

impl Node for EmbeddingsNode {
    fn physical(&self, _inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(EmbeddingsExec::try_new(self.embedded.clone())?))
    }
}

/// The operator of `embeddings`: keys in ascending order, NULL last.
#[derive(Debug)]
pub struct EmbeddingsExec {
    embedded: Embedded,
    properties: Arc<PlanProperties>,
}

impl EmbeddingsExec {
    /// The operator for this column.
    ///
    /// # Errors
    /// A column with the name of a result column.
    pub fn try_new(embedded: Embedded) -> Result<Self> {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(embedded.schema()?),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self { embedded, properties: Arc::new(properties) })
    }

    /// What is looked up.
    pub fn embedded(&self) -> &Embedded {
        &self.embedded
    }
}

impl DisplayAs for EmbeddingsExec {
    fn fmt_as(&self, kind: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match kind {
            DisplayFormatType::TreeRender => writeln!(formatter, "{}", self.embedded),
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(formatter, "EmbeddingsExec: {}", self.embedded)
            }
        }
    }
}

impl ExecutionPlan for EmbeddingsExec {
    fn name(&self) -> &'static str {
        "EmbeddingsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return Err(Error::Internal(format!("embeddings has one partition, asked for {partition}")).into());
        }
        let (embedded, schema) = (self.embedded.clone(), self.schema());
        let batches = stream::once(async move {
            let loaded = FunctionContext::of(&context)?.registry.load(&embedded.model).await?;
            let embeddings = loaded.model.embeddings(&embedded.column).map_err(Error::from)?;
            let codes = (0..embeddings.dictionary.len() as u32).chain(embeddings.null.then_some(NULL));
            let keys = frame::keys(&embeddings.dictionary, codes, &embedded.data_type)?;
            let batch = |start: usize| batch(&schema, &keys, &embeddings, start);
            let batches: Vec<_> = (0..keys.len()).step_by(BATCH_ROWS).map(batch).collect();
            Ok::<_, DataFusionError>(stream::iter(batches))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches.try_flatten())))
    }
}

impl Portable for EmbeddingsExec {
    type Payload = Embedded;

    fn payload(&self) -> Embedded {
        self.embedded.clone()
    }

    fn rebuild(embedded: Embedded, _inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Self> {
        Self::try_new(embedded)
    }
}

/// The rows from `start`, at most a batch of them.
fn batch(
    schema: &SchemaRef,
    keys: &ArrayRef,
    embeddings: &fusewire_learn::Embeddings,
    start: usize,
) -> Result<RecordBatch> {
    let rows = BATCH_ROWS.min(keys.len() - start);
    let short = || Error::Internal("the embeddings are fewer than their keys".into());
    let biases = embeddings.biases.get(start..start + rows).ok_or_else(short)?;
    let factors = embeddings.factors;
    let vectors = embeddings.vectors.get(start * factors..(start + rows) * factors).ok_or_else(short)?;
    let lists = ListArray::try_new(
        Arc::new(Field::new("item", DataType::Float32, false)),
        OffsetBuffer::from_repeated_length(factors, rows),
        Arc::new(Float32Array::from(vectors.to_vec())),
        None,
    )?;
    let columns: Vec<ArrayRef> = vec![
        keys.slice(start, rows),
        Arc::new(biases.iter().map(|&bias| f64::from(bias)).collect::<Float64Array>()),
        Arc::new(lists),
    ];
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::AsArray;

    use crate::{models::Models, shop::Session};

    #[tokio::test]
    async fn keys_and_vectors_are_the_models() {
        let session = Session::new().await;
        session
            .train(
                "'taste', (SELECT user_id, item_id, category, rating FROM ratings), target => 'rating', user => 'user_id', \
                 item => 'item_id', factors => 4, split => 'none'",
            )
            .await;
        let batches = session.run("SELECT * FROM embeddings('taste', 'item_id')").await;
        let types: Vec<_> = batches[0].schema().fields().iter().map(|field| field.data_type().to_string()).collect();
        assert_eq!(types[..2], ["Int32", "Float64"]);
        assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 13);
        let version = session.models().resolve("taste").unwrap();
        let loaded = session.functions.registry.load(&version.reference()).await.unwrap();
        let expected = loaded.model.embeddings("item_id").unwrap();
        let vectors = batches[0].column(2).as_list::<i32>();
        let found: Vec<f32> = vectors
            .iter()
            .flat_map(|list| list.unwrap().as_primitive::<arrow::datatypes::Float32Type>().values().to_vec())
            .collect();
        assert_eq!(found, expected.vectors);
        assert_eq!(
            session.rows("SELECT count(*), count(user_id) FROM embeddings('taste', 'USER_ID')").await,
            ["20|20"]
        );
        let keys = session.rows("SELECT category FROM embeddings('taste', 'category') ORDER BY category").await;
        assert_eq!(keys, ["pop", "rock"]);
        assert_eq!(session.rows("SELECT bias FROM embeddings('taste', 'item_id') LIMIT 2").await.len(), 2);
        let joined = "SELECT count(*) FROM ratings JOIN embeddings('taste', 'item_id') AS e USING (item_id)";
        assert_eq!(session.rows(joined).await, ["200"]);
    }

    #[tokio::test]
    async fn columns_without_vectors_are_refused() {
        let session = Session::new().await;
        session.train("'m', (SELECT user_id, price, rating FROM ratings), target => 'rating'").await;
        let refusal = session.refusal("SELECT * FROM embeddings('m', 'price')").await;
        assert_eq!(
            refusal,
            "InvalidArgument: the argument column of embeddings is 'price', which is not a category; expected one of user_id"
        );
        let refusal = session.refusal("SELECT * FROM embeddings('m', 'colour')").await;
        assert!(refusal.starts_with("UndefinedColumn: embeddings: the input has no column colour"), "{refusal}");
    }
}
