//! The engine's texts as they were read in one version, and what is told of them.

use super::*;

fn message(text: &str) -> String {
    said(text).message
}

#[test]
fn functions_and_operators_are_told_with_the_types_of_sql() {
    let text = "Internal error: Function 'round' failed to match any signature, errors: …\nThis issue was likely caused by a \
                bug in the engine's code. No function matches the given name and argument types \
                'round(Decimal128(10, 2), Utf8View)'. You might need to add explicit type casts.\n\tCandidate \
                functions:\n\tround(Decimal, Int32)\n\tround(Float64)";
    let found = said(text);
    assert_eq!(found.message, "function round(numeric, text) does not exist");
    assert_eq!(found.fault, Some(Fault::UndefinedFunction));
    assert_eq!(
        found.hint.as_deref(),
        Some(
            "round is known as round(numeric, integer), round(double precision). You might need to add explicit type casts."
        )
    );
    assert_eq!(
        message("Cannot coerce arithmetic expression Timestamp(ns, \"+00:00\") + Int64 to valid types"),
        "operator does not exist: timestamp with time zone + bigint"
    );
    assert_eq!(
        message("Cannot infer common argument type for comparison operation Date32 IS DISTINCT FROM Boolean"),
        "operator does not exist: date IS DISTINCT FROM boolean"
    );
    assert_eq!(
        message("Cannot infer common argument type for logical boolean operation Boolean AND Int32"),
        "argument of AND must be type boolean, not type integer"
    );
}

#[test]
fn values_of_users_are_told_as_they_are() {
    assert_eq!(
        message("Cannot cast string 'it's Utf8' to value of Decimal128(10, 2) type"),
        "invalid input syntax for type numeric: \"it's Utf8\""
    );
    assert_eq!(
        message("Cannot cast string '3000000000' to value of Int32 type"),
        "value \"3000000000\" is out of range for type integer"
    );
}

#[test]
fn trees_and_types_are_not_printed() {
    assert_eq!(
        message("Unsupported ast node in sqltorel: Collate { expr: Identifier(Ident { value: \"n\" }) }"),
        "COLLATE is not supported here"
    );
    assert_eq!(
        message("Substring without for/from is not valid Substring { expr: Identifier(Ident { value: \"n\" }) }"),
        "Substring without for/from is not valid"
    );
    assert_eq!(message("a > Int64(1) is not Timestamp(ns) of List(Int64)"), "a > 1 is not timestamp of bigint[]");
}

#[test]
fn keys_that_are_no_column_are_told_by_their_position() {
    for (text, told) in [
        ("Order by column out of bounds, specified: 2, max: 1", "ORDER BY position 2 is not in select list"),
        ("Order by index starts at 1 for column indexes", "ORDER BY position 0 is not in select list"),
        (
            "Cannot find column with position 3 in SELECT clause. Valid columns: 1 to 1",
            "GROUP BY position 3 is not in select list",
        ),
        (
            "For SELECT DISTINCT, ORDER BY expressions t.b must appear in select list",
            "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
        ),
    ] {
        let found = said(text);
        assert_eq!((found.fault, found.message.as_str()), (Some(Fault::InvalidColumnReference), told), "{text}");
    }
}
