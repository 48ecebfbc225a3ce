//! What a statement may have meant by a name that does not exist.

use datafusion::common::Column;

use crate::fault::nearest;

/// What a statement may have meant by a column that does not exist.
pub(super) fn column_hint(missing: &Column, known: &[Column]) -> Option<String> {
    let of_table = |column: &&Column| missing.relation.is_none() || column.relation == missing.relation;
    let here: Vec<&Column> = known.iter().filter(of_table).collect();
    let candidates = if here.is_empty() { known.iter().collect() } else { here };
    let names = || candidates.iter().map(|column| column.name.as_str());
    if let Some(name) = names().find(|name| name.to_lowercase() == missing.name.to_lowercase()) {
        if name == missing.name {
            let column = candidates.iter().find(|column| column.name == name)?;
            return Some(format!("perhaps you meant the column \"{}\"", shown(column)));
        }
        return Some(format!("perhaps you meant \"{name}\": names with capitals must be quoted"));
    }
    let near = nearest(&missing.name, names())?;
    let column = candidates.iter().find(|column| column.name == near)?;
    Some(format!("perhaps you meant the column \"{}\"", shown(column)))
}

fn shown(column: &Column) -> String {
    match &column.relation {
        Some(relation) => format!("{}.{}", relation.table(), column.name),
        None => column.name.clone(),
    }
}

/// What a statement may have meant by a table that does not exist.
pub(super) fn table_hint<'a>(missing: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let near = nearest(missing, known)?;
    Some(match near.chars().any(char::is_uppercase) {
        true => format!("perhaps you meant \"{near}\": names with capitals must be quoted"),
        false => format!("perhaps you meant the table \"{near}\""),
    })
}
