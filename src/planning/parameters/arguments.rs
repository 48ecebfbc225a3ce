//! What PostgreSQL 15's functions take where an argument has no type: of those that exist for several types, the one it prefers.

use arrow::datatypes::DataType;

/// What is known of an argument without a type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    /// It is of this type.
    Of(DataType),
    /// It is a text if nothing else is said of it.
    Shown,
    /// It may be anything.
    Any,
}

/// A numeric whose digits its value brings.
const NUMERIC: DataType = DataType::Decimal128(38, 10);

/// Functions of doubles, of which there is another of numerics.
const OF_DOUBLES: &[&str] = &[
    "abs", "acos", "asin", "atan", "cbrt", "ceil", "ceiling", "cos", "cot", "degrees", "exp", "floor", "ln", "log",
    "log10", "radians", "round", "sign", "signum", "sin", "sqrt", "tan", "trunc",
];

/// The argument at a place of a call, whose other arguments have these types as far as they are known.
pub(super) fn of_function(name: &str, at: usize, types: &[Option<DataType>]) -> Argument {
    use DataType::{Float64, Int32, Int64, Utf8};
    let others = || types.iter().enumerate().filter(|(other, _)| *other != at).find_map(|(_, known)| known.as_ref());
    match (name, at, types.len()) {
        (
            "left" | "right" | "repeat" | "lpad" | "rpad" | "array_length" | "array_element" | "round" | "trunc",
            1,
            _,
        )
        | ("substr" | "substring", 1 | 2, _)
        | ("split_part" | "overlay", 2, _)
        | ("overlay", 3, _)
        | ("chr", 0, _)
        | ("make_date", _, _) => Argument::Of(Int32),
        ("round" | "trunc", 0, 2) | ("log", _, 2) => Argument::Of(NUMERIC),
        ("to_hex", 0, _) => Argument::Of(Int64),
        ("atan2", _, _) => Argument::Of(Float64),
        ("power" | "pow", _, _) => Argument::Of(match others() {
            Some(numeric) if numeric.is_decimal() => numeric.clone(),
            _ => Float64,
        }),
        ("mod" | "gcd" | "lcm" | "array_concat" | "array_cat", _, _) => of_other(others()),
        ("array_append" | "array_position" | "array_positions" | "array_remove" | "array_has", 1, _)
        | ("array_prepend", 0, _) => of_other(others().and_then(element)),
        ("concat", _, _) => Argument::Any,
        ("concat_ws", place, _) if place > 0 => Argument::Any,
        (name, 0, 1) if OF_DOUBLES.contains(&name) => Argument::Of(Float64),
        (
            "upper" | "lower" | "initcap" | "length" | "char_length" | "character_length" | "octet_length"
            | "bit_length" | "reverse" | "ascii" | "md5" | "btrim" | "ltrim" | "rtrim" | "replace" | "strpos"
            | "translate" | "starts_with" | "left" | "right" | "repeat" | "lpad" | "rpad" | "substr" | "split_part",
            _,
            _,
        ) => Argument::Of(Utf8),
        _ => Argument::Shown,
    }
}

/// The same of an aggregate or a function of windows.
pub(super) fn of_rows(name: &str, at: usize, types: &[Option<DataType>]) -> Argument {
    match (name, at) {
        ("count" | "sum" | "avg" | "array_agg", _) => Argument::Any,
        ("string_agg", _) => Argument::Of(DataType::Utf8),
        ("ntile", 0) | ("lag" | "lead" | "nth_value", 1) => Argument::Of(DataType::Int32),
        ("lag" | "lead", 2) => of_other(types.first().and_then(Option::as_ref)),
        _ => Argument::Shown,
    }
}

fn of_other(other: Option<&DataType>) -> Argument {
    other.map_or(Argument::Any, |other| Argument::Of(other.clone()))
}

/// The type of an array's elements.
pub(super) fn element(list: &DataType) -> Option<&DataType> {
    match list {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Some(field.data_type())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `PREPARE` finds them in PostgreSQL 15.
    #[test]
    fn arguments_are_of_the_types_that_functions_take() {
        let of = |name: &str, at: usize, types: &[Option<DataType>]| of_function(name, at, types);
        let (text, whole, double) =
            (Argument::Of(DataType::Utf8), Argument::Of(DataType::Int32), Argument::Of(DataType::Float64));
        assert_eq!(of("upper", 0, &[None]), text);
        assert_eq!([0, 1].map(|at| of("left", at, &[None, None])), [text.clone(), whole.clone()]);
        assert_eq!(
            [0, 1, 2].map(|at| of("lpad", at, &[None, None, None])),
            [text.clone(), whole.clone(), text.clone()]
        );
        assert_eq!(
            [0, 1, 2].map(|at| of("substr", at, &[None, None, None])),
            [text.clone(), whole.clone(), whole.clone()]
        );
        assert_eq!([0, 2].map(|at| of("split_part", at, &[None, None, None])), [text.clone(), whole.clone()]);
        assert_eq!(of("abs", 0, &[None]), double);
        assert_eq!([0, 1].map(|at| of("round", at, &[None, None])), [Argument::Of(NUMERIC), whole]);
        assert_eq!(of("power", 1, &[Some(DataType::Int64), None]), double);
        assert_eq!(of("mod", 1, &[Some(DataType::Int64), None]), Argument::Of(DataType::Int64));
        assert_eq!(of("concat", 0, &[None]), Argument::Any);
        assert_eq!(of_rows("lag", 2, &[Some(DataType::Date32), None, None]), Argument::Of(DataType::Date32));
        assert_eq!(of_rows("sum", 0, &[None]), Argument::Any);
    }
}
