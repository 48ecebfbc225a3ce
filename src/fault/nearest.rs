//! Which name somebody may have meant.

use datafusion::common::utils::datafusion_strsim::levenshtein;

/// The nearest of the names, if it is near: one edit for every three letters.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let written = name.to_lowercase();
    let edits = known.map(|known| (levenshtein(&written, &known.to_lowercase()), known));
    let (edits, near) = edits.min_by_key(|(edits, _)| *edits)?;
    (edits <= near.chars().count().min(name.chars().count()) / 3).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_by_one_edit_for_every_three_letters() {
        let columns = ["customer_id", "Price", "qty"];
        let meant = |name: &str| nearest(name, columns.into_iter());
        assert_eq!(meant("custmer_id"), Some("customer_id"));
        assert_eq!(meant("PRICE"), Some("Price"));
        assert_eq!(meant("qtty"), Some("qty"));
        assert_eq!((meant("amount"), meant("q")), (None, None));
    }
}
