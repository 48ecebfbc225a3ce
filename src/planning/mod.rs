//! How a query is planned: the lists of rules that the query engine runs, in their order, our planner of operators, and
//! what may be said to a scan.
//!
//! Knows the query engine and nothing of clients, the catalog or the network.

use std::sync::Arc;

use datafusion::{
    execution::context::QueryPlanner,
    optimizer::{Analyzer, AnalyzerRule},
};
use fusewire_udfs::plan::FunctionQueryPlanner;

mod aggregate_types;
mod arithmetic;
mod around;
mod array_elements;
mod array_texts;
mod arrays;
mod arrays_of_arrays;
mod assignments;
mod bounds;
mod byte_patterns;
mod byte_texts;
mod calls;
mod cast_texts;
mod casts;
mod choosing;
mod columnar;
mod common_types;
mod computed_once;
mod concatenation;
mod constants;
mod days;
mod decimal_places;
mod dependencies;
mod distinct_calls;
mod distinct_on;
mod equal_values;
mod float_digits;
mod float_frames;
mod float_limits;
mod floats;
mod frames;
mod function_scans;
mod group_keys;
mod guards;
mod input_order;
mod integers;
mod interval_lengths;
mod join_keys;
mod json_operators;
mod known_arguments;
mod late_columns;
mod list_texts;
mod lists;
mod long_numbers;
mod long_numerics;
mod lossy_casts;
mod missing;
mod nearest_floats;
mod nested_keys;
mod null_equality;
mod number_types;
mod open_arguments;
mod open_operands;
mod operator_calls;
mod operators;
mod overloads;
mod parameters;
mod range_keys;
mod read_texts;
mod records;
mod recursion;
mod same_types;
mod set_keys;
mod sets;
mod shifts;
mod simplify;
mod single_floats;
mod sort_keys;
mod steps;
mod stored_texts;
mod subquery;
mod text_numbers;
mod time_operators;
mod timestamps;
mod told;
mod types;
mod unread;
mod whole_casts;
mod wide;
mod written_texts;
mod zeros;

mod columns;
mod compact;
mod cooperation;
mod group_limits;
mod infallible;
mod limits;
mod names;
mod physical;
mod pushdown;
mod scan;
mod sorted;
mod statistics;
mod unordered;

use around::Rule;
pub(crate) use array_elements::function as elements_of;
pub(crate) use arrays::Arrays;
pub(crate) use assignments::stored;
pub(crate) use cast_texts::read_written;
pub(crate) use choosing::choosing;
pub(crate) use computed_once::COMPUTED_ONCE;
pub(crate) use dependencies::Relations;
pub(crate) use guards::can_fail;
pub(crate) use infallible::evaluable;
pub(crate) use integers::with_integers;
pub(crate) use long_numbers::function as long_number;
pub(crate) use missing::{missing_call, spelled_types, stand_in};
pub(crate) use number_types::compared_as;
pub(crate) use parameters::{number as parameter_number, parameter_types};
pub(crate) use physical::physical_rules;
pub(crate) use read_texts::{no_number, unfit};
pub(crate) use records::{Records, row};
pub(crate) use scan::filter_scan;
pub(crate) use steps::any as has_step;
pub(crate) use stored_texts::{stored_texts, stored_values};
pub(crate) use text_numbers::own_digits;
pub(crate) use told::{as_parameter, as_written, stored_as, told_parameters, told_values};
pub(crate) use types::{is_computed, settled};
pub(crate) use unread::unread;
pub(crate) use written_texts::Operators;

/// The function that a row is written as beside a subquery. Whoever plans the subquery takes its calls apart.
pub(crate) const ROW_OF: &str = "row_of";

/// The function that the values of an INSERT are written as. Whoever plans the INSERT takes its calls apart.
pub(crate) const ASSIGNED: &str = "assigned";

/// The function that a text in quotes is written as among values of which nothing says yet what it is.
pub(crate) const UNREAD: &str = "unread";

/// The function that makes one dimension of several. It never fails.
pub(crate) const ELEMENTS_OF: &str = "elements_of";

/// The function that a number is written as that has more digits than a numeric here.
pub(crate) const LONG_NUMBER: &str = "long_number";

/// The function that a cast is written as where the planner would take it for another. It never fails.
pub(crate) const WRITTEN_AS: &str = "written_as";

/// The function that translates regular expressions that are not written out. It fails where there is none.
pub(crate) const REGULAR_EXPRESSION: &str = "regular_expression";

/// The same of the patterns of `SIMILAR TO`.
pub(crate) const SIMILAR_EXPRESSION: &str = "similar_expression";

/// The function that a cast is the operand of where its values are not in the order of those that are cast. It never fails.
const AS_CAST: &str = "as_cast";

/// The function that makes the text of a value of which a cast would make another one, or none. It never fails.
const TEXT_OF: &str = "text_of";

/// The function that makes the nearest float of a numeric. It never fails.
const NEAREST_FLOAT: &str = "nearest_float";

/// The function that makes values of a type that their field says. It never fails.
const MAKE_TOLD: &str = "make_told";

/// The same where not all are values of it. It fails on those that are none.
const BECOME_TOLD: &str = "become_told";

/// The function that fills fixed texts up to their length. It never fails.
const PADDED: &str = "padded";

/// The rules that a plan goes through before it is optimized, in order.
pub(crate) fn analyzer_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    // What guards an operand is gone where a subquery has become a join, and the types tell what can fail only at the end.
    let mut rules: Vec<Arc<dyn AnalyzerRule + Send + Sync>> = vec![
        Arc::new(recursion::CheckRecursion),
        Arc::new(group_keys::KeysOnce),
        Arc::new(aggregate_types::CheckAggregates),
        Arc::new(known_arguments::ReadArguments),
        Arc::new(sets::CommonColumns),
        Arc::new(sets::CountCopies),
        Arc::new(distinct_on::FirstOfEach),
        Arc::new(input_order::KeepInputOrder),
        Arc::new(guards::GuardArguments),
        Arc::new(subquery::Unnest),
        Arc::new(timestamps::CompareMicroseconds),
        Arc::new(computed_once::ComputeOnce),
    ];
    for rule in types::with_numbers(Analyzer::new().rules) {
        let finds_keys = rule.name() == "resolve_grouping_function";
        rules.push(rule);
        if finds_keys {
            rules.push(Arc::new(set_keys::NameSetKeys));
        }
    }
    rules.push(Arc::new(array_texts::ReadArrays));
    rules.push(Arc::new(arrays_of_arrays::CheckDimensions));
    rules.push(Arc::new(timestamps::LocalTimes));
    rules.push(Arc::new(byte_texts::ReadBytes));
    rules.push(Arc::new(cast_texts::ReadTexts));
    rules.push(Arc::new(float_digits::MeantDigits));
    rules.push(Arc::new(whole_casts::RoundToWhole));
    rules.push(Arc::new(single_floats::CheckSingles));
    rules.push(Arc::new(list_texts::WriteLists));
    rules.push(Arc::new(lossy_casts::CompareCasts));
    rules.push(Arc::new(distinct_calls::OneOfEquals));
    rules.push(Arc::new(float_frames::FloatFrames));
    rules.push(Arc::new(floats::OneNan));
    rules.push(Arc::new(lists::CompareItems));
    rules.push(Arc::new(zeros::OneZero));
    rules.push(Arc::new(interval_lengths::CompareLengths));
    rules.push(Arc::new(told::CompareJson));
    rules.push(Arc::new(told::CompareFixed));
    rules.push(Arc::new(nested_keys::CompareNested));
    rules.push(Arc::new(late_columns::ComputeLate));
    rules.push(Arc::new(sort_keys::SortByColumns));
    rules.push(Arc::new(sets::NameInputs));
    rules.push(Arc::new(floats::OrderFloats));
    rules.push(Arc::new(guards::GuardArguments));
    rules
}

/// The rules that optimize a plan, in order.
pub(crate) fn optimizer_rules() -> Vec<Rule> {
    let rules = guards::keep_filters(simplify::rules());
    rules
        .into_iter()
        .map(null_equality::careful)
        .map(dependencies::without)
        .map(same_types::kept)
        .map(group_keys::kept)
        .collect()
}

/// Makes operators of an optimized plan.
pub(crate) fn planner() -> Arc<dyn QueryPlanner + Send + Sync> {
    let functions =
        FunctionQueryPlanner::beside(vec![Arc::new(subquery::OncePlanner), Arc::new(subquery::ForEachPlanner)]);
    Arc::new(guards::RowByRow::new(Arc::new(functions)))
}
