//! Where names of columns stand among others, found without a look at each of these: files may have a hundred thousand.

use std::{cell::OnceCell, collections::HashMap};

/// The places of names.
#[derive(Debug)]
pub(in super::super) struct Places<'a> {
    names: Vec<&'a str>,
    exact: HashMap<&'a str, usize>,
    /// By the names in lower case, once one is looked for.
    alike: OnceCell<HashMap<String, Vec<usize>>>,
}

impl<'a> Places<'a> {
    /// Of names in their order.
    pub(in super::super) fn of(names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<&str> = names.into_iter().collect();
        let mut exact = HashMap::with_capacity(names.len());
        for (place, name) in names.iter().enumerate() {
            exact.entry(*name).or_insert(place);
        }
        Self { names, exact, alike: OnceCell::new() }
    }

    /// The first place of a name.
    pub(in super::super) fn exact(&self, name: &str) -> Option<usize> {
        self.exact.get(name).copied()
    }

    /// The places of the names that are the same, or the same but for case.
    pub(in super::super) fn alike(&self, name: &str) -> &[usize] {
        let alike = self.alike.get_or_init(|| {
            let mut alike: HashMap<String, Vec<usize>> = HashMap::new();
            for (place, name) in self.names.iter().enumerate() {
                alike.entry(name.to_lowercase()).or_default().push(place);
            }
            alike
        });
        alike.get(&name.to_lowercase()).map_or(&[][..], Vec::as_slice)
    }
}

/// For each of so many places of a file, which of the table's columns stands there, from where those stand.
pub(in super::super) fn inverted(places: &[Option<usize>], length: usize) -> Vec<Option<usize>> {
    let mut owners = vec![None; length];
    for (column, place) in places.iter().enumerate() {
        if let Some(owner) = place.and_then(|place| owners.get_mut(place)) {
            owner.get_or_insert(column);
        }
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_they_are_and_but_for_case() {
        let places = Places::of(["a", "B", "b", "É", "a"]);
        let exact = ["a", "b", "B", "é", "x"].map(|name| places.exact(name));
        assert_eq!(exact, [Some(0), Some(2), Some(1), None, None]);
        assert_eq!((places.alike("A"), places.alike("b")), (&[0, 4][..], &[1, 2][..]));
        assert_eq!((places.alike("é"), places.alike("x")), (&[3][..], &[][..]));
    }

    #[test]
    fn places_tell_their_columns() {
        assert_eq!(inverted(&[Some(2), None, Some(0), Some(2)], 3), [Some(2), None, Some(0)]);
    }
}
