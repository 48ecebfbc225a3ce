//! Values on their way to a column: where each stands in a buffer, in the shape of the column's type.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use arrow::{
    array::{ArrayRef, ListArray, StructArray},
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{DataType, Field, Fields},
};

use super::{
    super::{
        columns::{Misfit, column, owner},
        csv::NullMark,
        forms::Forms,
        guess::keeps_json,
        infer::type_name,
        text::shortened,
    },
    cursor::{Cursor, Halt, Token, is_half, text_of},
    shape::means_null,
};

/// How deep values may be nested.
pub(super) const MAX_DEPTH: usize = 64;

const TOO_DEEP: &str = "values are nested too deep";

/// How objects are read, as options say.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// Whether a member that the table does not have is refused.
    pub(super) refuses_others: bool,
    /// Whether of a key that an object has twice the last value counts.
    pub(super) keeps_last: bool,
    /// Which texts mean NULL.
    pub(super) null: NullMark,
}

/// What a value should be and is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Array,
    Object,
    /// A text all of whose escapes are characters.
    WholeText,
}

impl Expected {
    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Array => "an array",
            Self::Object => "an object",
            Self::WholeText => "a text without half of a surrogate pair",
        }
    }
}

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Null,
    /// As it stands there, whatever it is.
    Raw(u32, u32),
    /// Between quotes, with escapes.
    Escaped(u32, u32),
}

/// A value that is none of its type, and NULL instead.
#[derive(Debug)]
pub(super) struct Forgiven {
    pub(super) row: usize,
    pub(super) path: String,
    pub(super) value: String,
    /// What was expected, in words.
    pub(super) expected: String,
}

/// The column of a type without parts.
fn leaf(places: &[Place], text: &str, data_type: &DataType, forms: &Forms) -> Result<ArrayRef, Misfit> {
    let texts = places.iter().map(|place| place.text(text));
    if !forms.doubts {
        return column(data_type, places.len(), forms, texts);
    }
    let keeps = |place: &Place| {
        let value = place.text(text);
        value.is_none_or(|value| keeps_json(data_type, &value, place.is_quoted(text), forms))
    };
    match places.iter().position(|place| !keeps(place)) {
        Some(row) => Err(Misfit(row)),
        None => column(data_type, places.len(), &forms.trusting(), texts),
    }
}

/// The path to a part of a column.
pub(super) fn longer(name: &str, path: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") }
}

/// The values of a column, or of a part of it.
#[derive(Debug)]
pub(super) enum Node {
    /// Of a type without parts; of a text column objects and arrays are their own JSON.
    Leaf(Vec<Place>),
    List {
        /// How many items each list has; none: NULL.
        lengths: Vec<Option<u32>>,
        items: Box<Node>,
    },
    Struct {
        valid: Vec<bool>,
        members: Members,
    },
}

/// The members of objects that have a place in a table.
#[derive(Debug)]
pub(super) struct Members {
    names: Vec<String>,
    /// Where each stands, and by the names in lower case the only one of those that are the same but for case.
    places: HashMap<String, usize>,
    alike: HashMap<String, Option<usize>>,
    /// Whether each name is written in JSON as it is.
    plain: Vec<bool>,
    /// The values of those that are wanted.
    nodes: Vec<Option<Node>>,
    /// Whether a member may be called otherwise by case alone.
    ignores_case: bool,
    /// Where the last value of each stands.
    last: Vec<Given>,
}

/// Where a member stands in an object.
#[derive(Debug, Clone, Copy, Default)]
struct Given {
    key: usize,
    value: usize,
    /// Whether its key is spelled otherwise than the column's name.
    is_respelled: bool,
}

/// What is wrong with a value, or with what the bytes are.
#[derive(Debug)]
pub(super) enum Fault {
    Halt(Halt),
    /// A value at this byte that cannot be one of the column's.
    Value {
        at: usize,
        path: String,
        value: String,
        expected: Expected,
    },
    /// A member at this byte that is none of the table's.
    Unknown {
        at: usize,
        path: String,
    },
}

impl From<Halt> for Fault {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

impl Fault {
    /// The fault, of a part of this column.
    fn within(self, name: &str) -> Self {
        match self {
            Self::Halt(halt) => Self::Halt(halt),
            Self::Value { at, path, value, expected } => Self::Value { at, path: longer(name, &path), value, expected },
            Self::Unknown { at, path } => Self::Unknown { at, path: longer(name, &path) },
        }
    }
}

impl Node {
    /// For the values of a type.
    pub(super) fn new(data_type: &DataType) -> Self {
        match data_type {
            DataType::List(item) => Self::List { lengths: Vec::new(), items: Box::new(Self::new(item.data_type())) },
            DataType::Struct(fields) => {
                let wanted = vec![true; fields.len()];
                Self::Struct { valid: Vec::new(), members: Members::new(fields, &wanted) }
            }
            _ => Self::Leaf(Vec::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Leaf(places) => places.len(),
            Self::List { lengths, .. } => lengths.len(),
            Self::Struct { valid, .. } => valid.len(),
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Leaf(places) => places.push(Place::Null),
            Self::List { lengths, .. } => lengths.push(None),
            Self::Struct { valid, members } => {
                valid.push(false);
                members.fill(valid.len());
            }
        }
    }

    /// Keeps the first values alone.
    pub(super) fn truncate(&mut self, length: usize) {
        match self {
            Self::Leaf(places) => places.truncate(length),
            Self::List { lengths, items } => {
                lengths.truncate(length);
                items.truncate(lengths.iter().flatten().map(|length| *length as usize).sum());
            }
            Self::Struct { valid, members } => {
                valid.truncate(length);
                members.truncate(length);
            }
        }
    }

    /// Adds the value at the cursor.
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_>, rules: &Rules, depth: usize) -> Result<(), Fault> {
        cursor.peek();
        let start = cursor.at;
        let token = cursor.value()?;
        if token == Token::Null {
            self.push_null();
            return Ok(());
        }
        if let Token::Text { inside, is_escaped } = &token {
            cursor.check_text(inside, *is_escaped)?;
            let text = cursor.bytes.get(inside.clone()).unwrap_or_default();
            if means_null(&rules.null, text, *is_escaped) {
                self.push_null();
                return Ok(());
            }
            if is_half(text, *is_escaped) {
                return Err(unfit(cursor, start, Expected::WholeText));
            }
        }
        match (self, token) {
            (Self::Leaf(places), Token::Text { inside, is_escaped }) => {
                let (from, to) = (inside.start as u32, inside.end as u32);
                places.push(if is_escaped { Place::Escaped(from, to) } else { Place::Raw(from, to) });
            }
            (Self::Leaf(places), token) => {
                cursor.check(&token)?;
                places.push(Place::Raw(start as u32, cursor.at as u32));
            }
            (Self::List { lengths, items }, Token::Array) => {
                if depth > MAX_DEPTH {
                    return cursor.refused(TOO_DEEP).map_err(Fault::from);
                }
                let mut length = 0;
                if !cursor.is_empty(b']', "an array")? {
                    loop {
                        items.read(cursor, rules, depth + 1)?;
                        length += 1;
                        if !cursor.has_next(b']', "an array")? {
                            break;
                        }
                    }
                }
                lengths.push(Some(length));
            }
            (Self::Struct { valid, members }, Token::Object) => {
                if depth > MAX_DEPTH {
                    return cursor.refused(TOO_DEEP).map_err(Fault::from);
                }
                members.read(cursor, rules, valid.len(), depth + 1, None)?;
                valid.push(true);
            }
            (node, token) => {
                cursor.check(&token)?;
                let is_list = matches!(node, Self::List { .. });
                return Err(unfit(cursor, start, if is_list { Expected::Array } else { Expected::Object }));
            }
        }
        Ok(())
    }

    /// The column of a type. A value that is none of the type is told by its place among the node's own values.
    pub(super) fn finish(&self, text: &str, data_type: &DataType, forms: &Forms) -> Result<ArrayRef, Misfit> {
        match (self, data_type) {
            (Self::Leaf(places), _) => leaf(places, text, data_type, forms),
            (Self::List { lengths, items }, DataType::List(field)) => {
                let items = items.finish(text, field.data_type(), forms);
                let items = items.map_err(|Misfit(item)| Misfit(owner(items_of(lengths), item)))?;
                let offsets = OffsetBuffer::from_lengths(items_of(lengths));
                let nulls = NullBuffer::from_iter(lengths.iter().map(Option::is_some));
                let list = ListArray::try_new(Arc::clone(field), offsets, items, Some(nulls));
                list.map(|list| Arc::new(list) as ArrayRef).map_err(|_| Misfit(0))
            }
            (Self::Struct { valid, members }, DataType::Struct(fields)) => {
                let columns = members.finish(text, fields, forms)?;
                let nulls = NullBuffer::from_iter(valid.iter().copied());
                let array = StructArray::try_new(fields.clone(), columns, Some(nulls));
                array.map(|array| Arc::new(array) as ArrayRef).map_err(|_| Misfit(0))
            }
            _ => Err(Misfit(0)),
        }
    }

    /// Makes NULL of the values that are none of the type, and returns them with the path to them and their places among
    /// the node's own values.
    pub(super) fn forgive(&mut self, text: &str, data_type: &DataType, forms: &Forms) -> Vec<Forgiven> {
        match (self, data_type) {
            (Self::List { lengths, items }, DataType::List(field)) => {
                let mut forgiven = items.forgive(text, field.data_type(), forms);
                for found in &mut forgiven {
                    found.row = owner(items_of(lengths), found.row);
                }
                forgiven
            }
            (Self::Struct { members, .. }, DataType::Struct(fields)) => {
                let mut forgiven = Vec::new();
                for (node, field) in members.nodes.iter_mut().flatten().zip(fields) {
                    let found = node.forgive(text, field.data_type(), forms).into_iter();
                    forgiven.extend(found.map(|found| Forgiven { path: longer(field.name(), &found.path), ..found }));
                }
                forgiven
            }
            (Self::Leaf(places), data_type) => {
                let mut forgiven = Vec::new();
                for (row, place) in places.iter_mut().enumerate() {
                    let Some(value) = place.text(text) else { continue };
                    if leaf(std::slice::from_ref(place), text, data_type, forms).is_err() {
                        let (value, expected) = (value.into_owned(), type_name(data_type));
                        forgiven.push(Forgiven { row, path: String::new(), value, expected });
                        *place = Place::Null;
                    }
                }
                forgiven
            }
            _ => Vec::new(),
        }
    }

    /// The value that has no value of the type, and the path to it.
    pub(super) fn misfit(&self, text: &str, data_type: &DataType, forms: &Forms) -> (String, String, DataType) {
        match (self, data_type) {
            (Self::List { items, .. }, DataType::List(field)) => items.misfit(text, field.data_type(), forms),
            (Self::Struct { members, .. }, DataType::Struct(fields)) => {
                for (node, field) in members.nodes.iter().flatten().zip(fields) {
                    if node.finish(text, field.data_type(), forms).is_err() {
                        let (path, value, expected) = node.misfit(text, field.data_type(), forms);
                        return (longer(field.name(), &path), value, expected);
                    }
                }
                (String::new(), String::new(), data_type.clone())
            }
            (Self::Leaf(places), _) => {
                let value = match self.finish(text, data_type, forms) {
                    Err(Misfit(row)) => places.get(row).and_then(|place| place.text(text)).unwrap_or_default(),
                    Ok(_) => Cow::Borrowed(""),
                };
                (String::new(), value.into_owned(), data_type.clone())
            }
            _ => (String::new(), String::new(), data_type.clone()),
        }
    }
}

/// The fault of a value that begins at a byte and ends at the cursor.
fn unfit(cursor: &Cursor<'_>, start: usize, expected: Expected) -> Fault {
    let value = cursor.bytes.get(start..cursor.at).unwrap_or_default();
    Fault::Value { at: start, path: String::new(), value: String::from_utf8_lossy(value).into_owned(), expected }
}

/// The value at a place where there is one, as it stands there.
fn value_at<'a>(cursor: &Cursor<'a>, at: usize) -> Result<&'a [u8], Halt> {
    let mut value = Cursor { at, ..*cursor };
    value.peek();
    let start = value.at;
    value.pass()?;
    Ok(cursor.bytes.get(start..value.at).unwrap_or_default())
}

/// Refuses a key that an object has again: in another spelling, or with another value, unless the last one counts.
fn check_again(
    cursor: &Cursor<'_>,
    before: Given,
    now: Given,
    (key, column): (&str, &str),
    rules: &Rules,
) -> Result<(), Halt> {
    if (before.is_respelled || now.is_respelled) && !is_key_at(cursor, before.key, key) {
        let reason = format!(
            "two keys of an object are the column {column}, the same but for case; say match_case 'true' if they are \
             different columns"
        );
        return Err(Halt::Refused { at: now.key, reason, hint: "" });
    }
    let (first, second) = (value_at(cursor, before.value)?, value_at(cursor, now.value)?);
    if rules.keeps_last || first == second {
        return Ok(());
    }
    let shown = |value: &[u8]| shortened(&String::from_utf8_lossy(value));
    let reason = format!("an object has the key {key} twice, with {} and with {}", shown(first), shown(second));
    Err(Halt::Refused { at: now.key, reason, hint: "say duplicate_keys 'last' to read the last of such values" })
}

/// Whether this key stands at a place where there is a key.
fn is_key_at(cursor: &Cursor<'_>, at: usize, key: &str) -> bool {
    let mut before = Cursor { at, ..*cursor };
    before.key().is_ok_and(|before| before == key)
}

/// How many items each list has.
fn items_of(lengths: &[Option<u32>]) -> impl Iterator<Item = usize> + '_ {
    lengths.iter().map(|length| length.unwrap_or(0) as usize)
}

impl Place {
    fn text<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        match *self {
            Self::Null => None,
            Self::Raw(from, to) => text.get(from as usize..to as usize).map(Cow::Borrowed),
            Self::Escaped(from, to) => text_of(text.as_bytes().get(from as usize..to as usize)?, true),
        }
    }

    /// Whether the value stands between quotes.
    fn is_quoted(&self, text: &str) -> bool {
        match *self {
            Self::Null => false,
            Self::Raw(from, _) => {
                from.checked_sub(1).and_then(|before| text.as_bytes().get(before as usize)) == Some(&b'"')
            }
            Self::Escaped(..) => true,
        }
    }
}

impl Members {
    /// For the fields of a table or of a struct, and which of them are wanted.
    pub(super) fn new(fields: &Fields, wanted: &[bool]) -> Self {
        let node = |(field, wanted): (&Arc<Field>, &bool)| wanted.then(|| Node::new(field.data_type()));
        let (mut places, mut alike) = (HashMap::new(), HashMap::new());
        for (place, field) in fields.iter().enumerate() {
            places.entry(field.name().clone()).or_insert(place);
            alike.entry(field.name().to_lowercase()).and_modify(|only| *only = None).or_insert(Some(place));
        }
        Self {
            names: fields.iter().map(|field| field.name().clone()).collect(),
            places,
            alike,
            plain: fields.iter().map(|field| !field.name().contains(['"', '\\'])).collect(),
            nodes: fields.iter().zip(wanted).map(node).collect(),
            ignores_case: false,
            last: vec![Given::default(); fields.len()],
        }
    }

    /// The same, which find members whose names are the same but for case, too.
    pub(super) fn ignoring_case(self, ignores_case: bool) -> Self {
        Self { ignores_case, ..self }
    }

    /// Which member a key is, and whether it is spelled otherwise.
    fn place_of(&self, key: &str) -> Option<(usize, bool)> {
        if let Some(place) = self.places.get(key) {
            return Some((*place, false));
        }
        let alike = if self.ignores_case { self.alike.get(&key.to_lowercase()) } else { None };
        alike.copied().flatten().map(|place| (place, true))
    }

    /// The values of a wanted member.
    pub(super) fn node(&self, place: usize) -> Option<&Node> {
        self.nodes.get(place)?.as_ref()
    }

    pub(super) fn node_mut(&mut self, place: usize) -> Option<&mut Node> {
        self.nodes.get_mut(place)?.as_mut()
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.nodes.iter_mut().flatten().for_each(|node| node.truncate(length));
    }

    fn fill(&mut self, length: usize) {
        for node in self.nodes.iter_mut().flatten().filter(|node| node.len() < length) {
            node.push_null();
        }
    }

    /// Adds the members of the object that has begun, the `row`th one, from 0. A member that is absent is NULL, and so is one
    /// of another kind than its column, where such are forgiven.
    pub(super) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        rules: &Rules,
        row: usize,
        depth: usize,
        mut forgiven: Option<&mut Vec<Forgiven>>,
    ) -> Result<(), Fault> {
        let mut unknown = None;
        if !cursor.is_empty(b'}', "an object")? {
            // Objects have their members in the same order, nearly always.
            let mut next = 0;
            loop {
                cursor.peek();
                let at = cursor.at;
                let is_plain = self.plain.get(next).copied().unwrap_or(false);
                let expected = self.names.get(next).filter(|name| is_plain && cursor.is_key(name));
                let (key, place) = match expected {
                    Some(name) => (Cow::Borrowed(name.as_str()), Some((next, false))),
                    None => {
                        let key = cursor.key()?;
                        let place = self.place_of(&key);
                        (key, place)
                    }
                };
                match place {
                    Some((place, is_respelled)) => {
                        next = place + 1;
                        match (self.nodes.get_mut(place), self.last.get_mut(place)) {
                            (Some(Some(node)), Some(last)) => {
                                let now = Given { key: at, value: cursor.at, is_respelled };
                                if node.len() > row {
                                    let column = self.names.get(place).map_or("", String::as_str);
                                    check_again(cursor, *last, now, (&*key, column), rules)?;
                                    node.truncate(row);
                                }
                                *last = now;
                                read_member(node, cursor, rules, (row, depth), &key, forgiven.as_deref_mut())?;
                            }
                            _ => cursor.pass()?,
                        }
                    }
                    None if rules.refuses_others => {
                        // Told when the object is whole: what is broken is that first.
                        unknown.get_or_insert(Fault::Unknown { at, path: key.into_owned() });
                        let token = cursor.value()?;
                        cursor.check(&token)?;
                    }
                    None => cursor.pass()?,
                }
                if !cursor.has_next(b'}', "an object")? {
                    break;
                }
            }
        }
        self.fill(row + 1);
        unknown.map_or(Ok(()), Err)
    }

    fn finish(&self, text: &str, fields: &Fields, forms: &Forms) -> Result<Vec<ArrayRef>, Misfit> {
        let pairs = self.nodes.iter().flatten().zip(fields);
        pairs.map(|(node, field)| node.finish(text, field.data_type(), forms)).collect()
    }
}

/// Adds the value of a member. One of another kind than its column is NULL where such are forgiven.
fn read_member(
    node: &mut Node,
    cursor: &mut Cursor<'_>,
    rules: &Rules,
    (row, depth): (usize, usize),
    key: &str,
    forgiven: Option<&mut Vec<Forgiven>>,
) -> Result<(), Fault> {
    let start = cursor.at;
    match (node.read(cursor, rules, depth), forgiven) {
        (Ok(()), _) => Ok(()),
        (Err(Fault::Value { expected, .. }), Some(forgiven)) => {
            cursor.at = start;
            cursor.pass()?;
            node.truncate(row);
            node.push_null();
            let value = cursor.bytes.get(start..cursor.at).unwrap_or_default();
            let value = String::from_utf8_lossy(value).trim().to_owned();
            let (path, expected) = (key.to_owned(), expected.words().to_owned());
            forgiven.push(Forgiven { row, path, value, expected });
            Ok(())
        }
        (Err(fault), _) => Err(fault.within(key)),
    }
}
