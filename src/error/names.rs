//! Which name somebody may have meant.

use datafusion::common::{Column, utils::datafusion_strsim::levenshtein};

/// The nearest of the names, if it is near: one edit for every three letters.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let written = name.to_lowercase();
    let edits = known.map(|known| (levenshtein(&written, &known.to_lowercase()), known));
    let (edits, near) = edits.min_by_key(|(edits, _)| *edits)?;
    (edits <= near.chars().count().min(name.chars().count()) / 3).then_some(near)
}

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
