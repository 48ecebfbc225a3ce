//! Keys of joins that are computed, under names of their own.
//!
//! The engine computes such a key beside the columns of its side and finds it by its name, which leaves out casts. The key of
//! `a JOIN b ON a.ts::date = b.d` is the operand of a function that keeps the name of the cast: it is a second `a.ts`, and the
//! join is refused. So are two keys that differ in their casts alone. Names are given when plans become operators, after all
//! that looks at keys.

use std::{collections::HashSet, sync::Arc};

use datafusion::{
    common::{
        Result,
        tree_node::{Transformed, TransformedResult},
    },
    logical_expr::{Expr, Join, LogicalPlan},
};

/// A plan whose joins have no computed key of a name that another column of theirs has.
pub(super) fn named(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Join(join) if join.on.iter().any(|(left, right)| is_computed(left) || is_computed(right)) => {
            Ok(Transformed::yes(LogicalPlan::Join(with_named_keys(join))))
        }
        other => Ok(Transformed::no(other)),
    })
    .data()
}

fn is_computed(key: &Expr) -> bool {
    !matches!(key, Expr::Column(_))
}

fn with_named_keys(mut join: Join) -> Join {
    let mut names = Names::of(&join);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    join.on = std::mem::take(&mut join.on)
        .into_iter()
        .map(|(left_key, right_key)| (names.named(left_key, &mut left), names.named(right_key, &mut right)))
        .collect();
    join
}

/// The names that columns of a join have.
struct Names {
    taken: HashSet<String>,
}

impl Names {
    fn of(join: &Join) -> Self {
        let inputs: [&Arc<LogicalPlan>; 2] = [&join.left, &join.right];
        let columns = inputs.into_iter().flat_map(|input| input.schema().columns());
        Self { taken: columns.flat_map(|column| [column.flat_name(), column.name]).collect() }
    }

    /// A key as it is, if nothing has its name; else under its text, which tells casts apart, or that and a number. A key that
    /// its side has twice has one name.
    fn named(&mut self, key: Expr, known: &mut Vec<(Expr, Option<String>)>) -> Expr {
        let key = key.unalias();
        if !is_computed(&key) {
            return key;
        }
        if let Some((_, name)) = known.iter().find(|(same, _)| *same == key) {
            return match name {
                Some(name) => key.alias(name),
                None => key,
            };
        }
        let text = key.to_string();
        // The engine gives a mere cast its text.
        let own =
            if matches!(key, Expr::Cast(_) | Expr::TryCast(_)) { text.clone() } else { key.schema_name().to_string() };
        if self.taken.insert(own) {
            known.push((key.clone(), None));
            return key;
        }
        let mut name = text.clone();
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{text} {number}");
        }
        known.push((key.clone(), Some(name.clone())));
        key.alias(name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::DataType;
    use datafusion::{
        common::JoinType,
        logical_expr::{LogicalPlanBuilder, cast, col, lit},
    };

    use super::*;

    fn side(table: &str) -> LogicalPlan {
        let row = LogicalPlanBuilder::values(vec![vec![lit(1_i64), lit(2_i64)]]).unwrap();
        row.project([col("column1").alias("x"), col("column2").alias("y")])
            .unwrap()
            .alias(table)
            .unwrap()
            .build()
            .unwrap()
    }

    #[test]
    fn a_key_has_a_name_that_nothing_else_has() {
        let small = |column: &str| -cast(col(column), DataType::Int32);
        let smaller = |column: &str| -cast(col(column), DataType::Int16);
        let on = vec![
            (small("a.x"), col("b.x")),
            (smaller("a.x"), col("b.y")),
            (small("a.x"), smaller("b.y")),
            (col("a.y"), small("b.x")),
        ];
        let joined = LogicalPlanBuilder::from(side("a"))
            .join_on(side("b"), JoinType::Inner, [lit(true)])
            .unwrap()
            .build()
            .unwrap();
        let LogicalPlan::Join(mut join) = joined else { panic!("it is no join") };
        join.on = on;
        let join = with_named_keys(join);
        let names: Vec<String> = join.on.iter().map(|(left, _)| left.schema_name().to_string()).collect();
        assert_eq!(names[0], names[2], "one key has one name");
        let all = join.on.iter().flat_map(|(left, right)| [left, right]).filter(|key| is_computed(key));
        let distinct: HashSet<String> = all.map(|key| key.schema_name().to_string()).collect();
        assert_eq!(distinct.len(), 4, "{distinct:?}");
        assert!(!is_computed(&join.on[1].1), "a column stays one");
    }
}
