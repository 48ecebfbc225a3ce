//! Texts that keep the memory of rows that are gone.
//!
//! An array of views points into buffers, and whoever puts arrays together, or cuts some rows out of one, keeps the buffers
//! of all. A window puts each batch behind those that it has, and each of its results points to the buffers of all batches
//! before it; a sort points to those of all its input. One above the other they multiply: from n batches come n times n
//! buffers, then n times n times n. Here the texts of what goes into windows and comes out of them are copied into one buffer
//! of their own, where they have more than that.

use std::{fmt, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, ByteView, GenericByteViewArray, ListArray, RecordBatch, StructArray},
    datatypes::{BinaryViewType, ByteViewType, DataType, StringViewType},
    error::ArrowError,
};
use datafusion::{
    common::{
        Result, Statistics,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::PhysicalExpr,
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties,
        execution_plan::{CardinalityEffect, replace_children_if_necessary},
        statistics::{ChildStats, StatisticsArgs},
        stream::RecordBatchStreamAdapter,
        windows::{BoundedWindowAggExec, WindowAggExec},
    },
};
use futures::StreamExt;

/// Buffers of so many bytes are kept, however few of them are pointed to.
const SMALL_BYTES: usize = 16 << 10;

/// The rule; see the module. It comes last: nothing is known of rows that it changes.
#[derive(Debug)]
pub(super) struct CompactTexts;

impl PhysicalOptimizerRule for CompactTexts {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            if !node.is::<BoundedWindowAggExec>() && !node.is::<WindowAggExec>() {
                return Ok(Transformed::no(node));
            }
            let inputs = node.children().into_iter().map(|input| compacted(Arc::clone(input))).collect();
            Ok(Transformed::yes(compacted(replace_children_if_necessary(node, inputs)?)))
        })
        .data()
    }

    fn name(&self) -> &str {
        "compact_texts"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The rows of an operator, whose texts have a buffer of their own.
fn compacted(input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    let has_views = input.schema().fields().iter().any(|field| has_views(field.data_type()));
    if has_views && !input.is::<CompactExec>() { Arc::new(CompactExec { input }) } else { input }
}

fn has_views(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8View | DataType::BinaryView => true,
        DataType::List(item) => has_views(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_views(field.data_type())),
        _ => false,
    }
}

/// An array that points to no more buffers than it needs.
fn compact(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if !has_views(array.data_type()) {
        return Ok(Arc::clone(array));
    }
    Ok(match array.data_type() {
        DataType::Utf8View => compact_views::<StringViewType>(array),
        DataType::BinaryView => compact_views::<BinaryViewType>(array),
        DataType::List(item) => {
            let list = array.as_list::<i32>();
            let values = compact(list.values())?;
            Arc::new(ListArray::try_new(Arc::clone(item), list.offsets().clone(), values, list.nulls().cloned())?)
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter().map(compact).collect::<Result<_, _>>()?;
            let nulls = array.nulls().cloned();
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, array.len())?)
        }
        _ => Arc::clone(array),
    })
}

fn compact_views<T: ByteViewType>(array: &ArrayRef) -> ArrayRef {
    let Some(views) = array.as_any().downcast_ref::<GenericByteViewArray<T>>() else { return Arc::clone(array) };
    let held: usize = views.data_buffers().iter().map(|buffer| buffer.len()).sum();
    let is_used = |view: &u128| ByteView::from(*view).length > 12;
    let used = || -> usize {
        let long = views.views().iter().filter(|view| is_used(view));
        long.map(|view| ByteView::from(*view).length as usize).sum()
    };
    let is_compact = match views.data_buffers() {
        [] => true,
        [_] => held <= SMALL_BYTES || held / 2 <= used(),
        _ => false,
    };
    if is_compact { Arc::clone(array) } else { Arc::new(views.gc()) }
}

/// The rows of its input.
#[derive(Debug)]
struct CompactExec {
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for CompactExec {
    fn fmt_as(&self, _format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CompactExec")
    }
}

impl ExecutionPlan for CompactExec {
    fn name(&self) -> &str {
        "CompactExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self { input: fusewire_udfs::plan::only_input(self.name(), &children)? }))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        match inputs {
            [input] => Ok(Arc::clone(input)),
            _ => Ok(Arc::new(Statistics::new_unknown(&self.schema()))),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, context)?;
        let schema = rows.schema();
        let batches = rows.map(|batch| {
            let batch = batch?;
            let columns = batch.columns().iter().map(compact).collect::<Result<_, _>>()?;
            let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            Ok(RecordBatch::try_new_with_options(batch.schema(), columns, &options)?)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{array::StringViewArray, compute::concat};

    use super::*;

    fn buffers(array: &ArrayRef) -> usize {
        array.as_string_view().data_buffers().len()
    }

    #[test]
    fn an_array_keeps_no_buffers_of_others() {
        let long = |number: usize| {
            Arc::new(StringViewArray::from(vec![format!("a text that is no view {number}")])) as ArrayRef
        };
        let parts: Vec<ArrayRef> = (0..9).map(long).collect();
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        let whole = concat(&parts).unwrap();
        assert_eq!(buffers(&whole), 9);
        let compacted = compact(&whole).unwrap();
        assert_eq!((buffers(&compacted), &compacted), (1, &whole));
        assert_eq!(buffers(&compact(&whole.slice(3, 1)).unwrap()), 1);
        let short: ArrayRef = Arc::new(StringViewArray::from(vec![Some("short"), None]));
        assert_eq!(buffers(&compact(&short).unwrap()), 0);
    }

    #[test]
    fn a_large_buffer_of_which_little_is_left_is_given_back() {
        let texts: Vec<String> = (0..2000).map(|number| format!("a text that is no view {number}")).collect();
        let whole: ArrayRef = Arc::new(StringViewArray::from(texts));
        let held = |array: &ArrayRef| -> usize {
            array.as_string_view().data_buffers().iter().map(|buffer| buffer.len()).sum()
        };
        let few = compact(&whole.slice(10, 2)).unwrap();
        assert_eq!((&few, held(&few)), (&whole.slice(10, 2), 2 * "a text that is no view 10".len()));
        assert_eq!(held(&compact(&whole).unwrap()), held(&whole));
    }
}
