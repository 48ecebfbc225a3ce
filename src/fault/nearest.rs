//! Which name somebody may have meant.

use datafusion::common::utils::datafusion_strsim::levenshtein;

/// The nearest of the names, if it is near: one edit for every three letters.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let written = name.to_lowercase();
    let edits = known.map(|known| (levenshtein(&written, &known.to_lowercase()), known));
    let (edits, near) = edits.min_by_key(|(edits, _)| *edits)?;
    (edits <= near.chars().count().min(name.chars().count()) / 3).then_some(near)
}

/// Names of those that are the nearest.
const FEW: usize = 3;

/// The nearest of the names that are near, by the alphabet; none if there are too many of them to be one that was meant.
pub(crate) fn nearest_few<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let written = name.to_lowercase();
    let is_near = |edits: usize, known: &str| edits <= known.chars().count().min(name.chars().count()) / 3;
    let edits = known.map(|known| (levenshtein(&written, &known.to_lowercase()), known));
    let mut near: Vec<(usize, &str)> = edits.filter(|(edits, known)| is_near(*edits, known)).collect();
    near.sort_unstable();
    near.dedup();
    let least = near.first().map_or(0, |(edits, _)| *edits);
    let few: Vec<&str> = near.into_iter().take_while(|(edits, _)| *edits == least).map(|(_, known)| known).collect();
    if few.len() > FEW { Vec::new() } else { few }
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

    #[test]
    fn several_names_are_as_near_as_one_another() {
        let few = |name: &str, known: &[&'static str]| nearest_few(name, known.iter().copied());
        assert_eq!(few("sinc", &["sinh", "cos", "sin", "sind"]), ["sin", "sind", "sinh"]);
        assert_eq!(few("lenght", &["left", "length", "lower"]), ["length"]);
        assert!(few("dev", &["div"]).len() == 1 && few("dev", &["sin"]).is_empty());
        assert!(few("tanx", &["tan", "tand", "tanh", "tank", "tans"]).is_empty());
    }
}
