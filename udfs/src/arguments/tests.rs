//! What holds for every declared parameter of every function.

use arrow::datatypes::{DataType, Field, Schema};

use super::{Value, find_column};
use crate::{Error, FUNCTIONS};

#[test]
fn declared_defaults_are_values_of_their_kind() {
    for function in FUNCTIONS {
        let parameters = function.parameters();
        for (position, parameter) in parameters.iter().enumerate() {
            let name = format!("{}.{}", function.name(), parameter.name);
            assert!(parameters.iter().take(position).all(|other| other.name != parameter.name), "{name} twice");
            assert!(!parameter.doc.is_empty() && parameter.name == parameter.name.to_lowercase(), "{name}");
            let Some(default) = parameter.default.filter(|default| *default != "null") else { continue };
            let value = Value::of_default(default, parameter.kind);
            assert_eq!(value.map(|value| value.to_string()).as_deref(), Some(default), "{name}");
        }
    }
}

#[test]
fn functions_have_names_and_examples_of_their_own() {
    for (position, function) in FUNCTIONS.iter().enumerate() {
        assert!(FUNCTIONS.iter().take(position).all(|other| other.name() != function.name()));
        assert!(function.example().contains(&format!("{}(", function.name())), "{}", function.name());
        assert!(!function.purpose().is_empty() && !function.returns().is_empty());
    }
}

#[test]
fn columns_match_exactly_else_ignoring_case() {
    let field = |name: &str| Field::new(name, DataType::Int64, true);
    let schema = Schema::new(vec![field("id"), field("ID"), field("Price")]);
    let find = |name: &str| find_column("f", Some("target"), name, &schema);
    assert_eq!(find("ID").unwrap(), "ID");
    assert_eq!(find("id").unwrap(), "id");
    assert_eq!(find("pRICE").unwrap(), "Price");
    assert!(matches!(find("Id"), Err(Error::AmbiguousColumn { .. })));
    assert_eq!(
        find("Id").unwrap_err().to_string(),
        "f: the column Id (named by target) could be any of id, ID; write its exact name"
    );
    assert_eq!(
        find("cost").unwrap_err().to_string(),
        "f: the input has no column cost (named by target); it has id, ID, Price"
    );
}
