//! Scans of functions in FROM, which are named by their calls.
//!
//! The engine names the rows of `generate_series(1, 5)` by the function alone, and takes two scans of one name for the same: of
//! two subqueries over calls with other arguments, both had the value of the first.

use std::sync::Arc;

use datafusion::{
    common::{
        Result, TableReference,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    logical_expr::{LogicalPlan, LogicalPlanBuilder, SubqueryAlias},
    sql::sqlparser::ast::{FunctionArg, ObjectName, TableFactor},
};

/// The call that an item of FROM is, as it is written; none for what is no call.
pub(super) fn call_of(relation: &TableFactor) -> Option<String> {
    match relation {
        TableFactor::Table { name, args: Some(call), .. } => Some(written(name, &call.args)),
        TableFactor::Function { name, args, .. } => Some(written(name, args)),
        _ => None,
    }
}

fn written(name: &ObjectName, arguments: &[FunctionArg]) -> String {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    format!("{name}({})", arguments.join(", "))
}

/// The plan of a call, whose scan has its name. Above the scan, its columns are those of the function.
pub(super) fn named_by(call: &str, plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up(|node| match node {
        LogicalPlan::TableScan(scan) if scan.table_name.table().ends_with("()") => {
            let named = LogicalPlanBuilder::scan(TableReference::bare(call), scan.source, scan.projection)?.build()?;
            let alias = SubqueryAlias::try_new(Arc::new(named), scan.table_name)?;
            Ok(Transformed::yes(LogicalPlan::SubqueryAlias(alias)))
        }
        other => Ok(Transformed::no(other)),
    })
    .data()
}
