//! The keys of a file's objects: what their values have in common, and which keys, the same but for case, one object has both
//! of. These are different columns, and others that are spelled in two ways are one.

use std::collections::{HashMap, HashSet};

use super::{
    cursor::{Cursor, Halt},
    shape::{Meanings, Shape, see_members},
};

/// What is known of the keys of objects.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// The keys and what their values have in common.
    pub(super) fields: Vec<(String, Shape)>,
    /// Where each stands.
    places: HashMap<String, usize>,
    /// How many times an object was looked at, and at which of them each field was there last.
    looks: usize,
    last: Vec<usize>,
    /// The places of the fields by their names in lower case, and how many fields are among them.
    folded: HashMap<String, Vec<usize>>,
    named: usize,
    /// The names in lower case of several fields, of which no object had two.
    alike: Vec<String>,
    /// The names in lower case of those that were.
    together: HashSet<String>,
}

impl Keys {
    /// Adds the members of the object that has begun. Of one that is cut off or broken its first members may stay.
    pub(super) fn see(&mut self, cursor: &mut Cursor<'_>, meanings: &Meanings) -> Result<(), Halt> {
        self.looks += 1;
        let (looks, last) = (self.looks, &mut self.last);
        let places = Some(&mut self.places);
        see_members(&mut self.fields, places, cursor, 0, meanings, |place| mark(last, place, looks))?;
        self.tell_apart();
        Ok(())
    }

    /// The same; of an object that is broken nothing stays.
    pub(super) fn see_whole(&mut self, cursor: &mut Cursor<'_>, meanings: &Meanings) -> Result<(), Halt> {
        let (mut own, mut places) = (Vec::new(), HashMap::new());
        see_members(&mut own, Some(&mut places), cursor, 0, meanings, |_| {})?;
        self.looks += 1;
        for (name, shape) in own {
            let place = *self.places.entry(name.clone()).or_insert(self.fields.len());
            mark(&mut self.last, place, self.looks);
            match self.fields.get_mut(place) {
                Some((_, known)) => known.merge(shape, 1),
                None => self.fields.push((name, shape)),
            }
        }
        self.tell_apart();
        Ok(())
    }

    /// What the values have in common, and the names, in lower case, that stand for several keys of one object.
    pub(super) fn into_parts(self) -> (Shape, HashSet<String>) {
        (Shape::Object(self.fields), self.together)
    }

    /// Looks which keys of the last object are the same but for case.
    fn tell_apart(&mut self) {
        for (place, (name, _)) in self.fields.iter().enumerate().skip(self.named) {
            let folded = name.to_lowercase();
            let places = self.folded.entry(folded.clone()).or_default();
            places.push(place);
            if places.len() == 2 {
                self.alike.push(folded);
            }
        }
        self.named = self.fields.len();
        let is_last = |place: &&usize| self.last.get(**place) == Some(&self.looks);
        let (folded, together) = (&self.folded, &mut self.together);
        self.alike.retain(|name| {
            let are_several = folded.get(name).is_some_and(|places| places.iter().filter(is_last).count() > 1);
            if are_several {
                together.insert(name.clone());
            }
            !are_several
        });
    }
}

/// Notes at which look a field was there.
fn mark(last: &mut Vec<usize>, place: usize, look: usize) {
    if place >= last.len() {
        last.resize(place + 1, 0);
    }
    if let Some(last) = last.get_mut(place) {
        *last = look;
    }
}

/// The names of a file's columns of which all that are the same but for case are one, but for those that an object has
/// together.
pub(super) fn spelled_once<'a>(names: impl IntoIterator<Item = &'a str>, together: &HashSet<&str>) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    let mut is_own = |name: &str| {
        let folded = name.to_lowercase();
        together.contains(folded.as_str()) || seen.insert(folded)
    };
    names.into_iter().filter(|name| is_own(name)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{
        super::super::{csv::NullMark, forms::Forms},
        *,
    };

    fn usual() -> Meanings {
        Meanings { forms: Forms::default(), null: NullMark::Empty }
    }

    /// The keys of the objects, and those in lower case that one has several of.
    fn seen(objects: &[&str], whole: bool) -> (Vec<String>, Vec<String>) {
        let mut keys = Keys::default();
        for object in objects {
            let mut cursor = Cursor { bytes: object.as_bytes(), at: 1, is_last: true };
            match whole {
                true => keys.see_whole(&mut cursor, &usual()).unwrap(),
                false => keys.see(&mut cursor, &usual()).unwrap(),
            }
        }
        let names = keys.fields.iter().map(|(name, _)| name.clone()).collect();
        let mut together: Vec<_> = keys.together.into_iter().collect();
        together.sort();
        (names, together)
    }

    #[test]
    fn keys_are_apart_where_one_object_has_both() {
        let cases: [(&[&str], &[&str]); 6] = [
            (&[r#"{"Id":1,"x":2}"#, r#"{"id":3,"x":4}"#], &[]),
            (&[r#"{"Id":1,"id":2}"#], &["id"]),
            (&[r#"{"Id":1}"#, r#"{"id":2}"#, r#"{"x":1,"id":null,"Id":3}"#], &["id"]),
            (&[r#"{"Id":1,"Id":2}"#, r#"{"ID":1}"#, r#"{"id":1}"#], &[]),
            (&[r#"{"a":{"x":1,"X":2}}"#, r#"{"A":1}"#], &[]),
            (&[r#"{"Id":1,"É":1,"é":2}"#, r#"{"iD":1,"ID":2}"#], &["id", "é"]),
        ];
        for (objects, apart) in cases {
            assert_eq!(seen(objects, false).1, apart, "{objects:?}");
            assert_eq!(seen(objects, true), seen(objects, false), "{objects:?}");
        }
    }

    #[test]
    fn what_is_cut_off_is_looked_at_anew() {
        let mut keys = Keys::default();
        let mut cut = Cursor { bytes: br#"{"Id":1,"x":"#, at: 1, is_last: false };
        assert_eq!(keys.see(&mut cut, &usual()), Err(Halt::Incomplete));
        keys.see(&mut Cursor { bytes: br#"{"id":1,"x":2}"#, at: 1, is_last: false }, &usual()).unwrap();
        assert!(keys.together.is_empty());
        keys.see(&mut Cursor { bytes: br#"{"id":1,"Id":2}"#, at: 1, is_last: false }, &usual()).unwrap();
        assert_eq!(keys.together.into_iter().collect::<Vec<_>>(), ["id"]);
    }

    #[test]
    fn a_file_has_a_name_once_unless_an_object_has_it_twice() {
        let names = ["Id", "x", "ID", "X", "y"];
        assert_eq!(spelled_once(names, &HashSet::new()), ["Id", "x", "y"]);
        assert_eq!(spelled_once(names, &HashSet::from(["id"])), ["Id", "x", "ID", "y"]);
    }
}
