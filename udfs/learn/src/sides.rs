//! Which side a column belongs to, and the value of each entity's attributes that the model keeps.
//!
//! A column is an entity's if each entity has one value of it in all its rows, and if that says something: where every
//! user has one row, every column has one value a user, the hour and the price as well. So the rows of one entity that
//! differ in something must have agreed on the column more often than chance explains. Else the column is context, which
//! is learnt whole, where columns of one side do not act upon each other. The implicit objective has no context and asks
//! for no evidence.

use std::cmp::Ordering;

use crate::{
    error::{Error, Result},
    model::Role,
    options::{Objective, ValidOptions},
    prepare::Prepared,
    table::Values,
};

/// The greatest chance of agreeing without being the entity's that still counts as evidence.
const CHANCE: f64 = 0.01;

/// The users or the items of the rows trained on.
#[derive(Debug)]
pub(crate) struct Entities {
    /// The entity of each row trained on, numbered in the order of keys.
    pub(crate) of_row: Vec<u32>,
    /// How many there are.
    pub(crate) count: usize,
    /// Each one's last row: the newest by time, else the last in canonical order.
    pub(crate) last_row: Vec<u32>,
}

impl Entities {
    /// From the key codes of all rows, of which `rows` are trained on.
    pub(crate) fn new(codes: &[u32], dictionary: usize, rows: &[u32], time: &[Option<i64>]) -> Self {
        let mut numbers = vec![u32::MAX; dictionary];
        for &row in rows {
            if let Some(number) = numbers.get_mut(codes[row as usize] as usize) {
                *number = 0;
            }
        }
        let mut count = 0;
        for number in numbers.iter_mut().filter(|number| **number == 0) {
            *number = count;
            count += 1;
        }
        let of_row: Vec<u32> = rows.iter().map(|&row| numbers[codes[row as usize] as usize]).collect();
        let mut last_row = vec![u32::MAX; count as usize];
        for (&row, &entity) in rows.iter().zip(&of_row) {
            let last = &mut last_row[entity as usize];
            let newer = *last == u32::MAX || time.is_empty() || time[row as usize] >= time[*last as usize];
            if newer {
                *last = row;
            }
        }
        Self { of_row, count: count as usize, last_row }
    }

    /// Whether every entity has one value of the column in all its rows; NULL is a value.
    fn determine(&self, rows: &[u32], values: &Values) -> bool {
        rows.iter()
            .zip(&self.of_row)
            .all(|(&row, &entity)| values.compare(row as usize, self.last_row[entity as usize] as usize).is_eq())
    }

    /// Whether a column that the entities determine would hardly do so by chance, given the number of different rows.
    ///
    /// Were it not theirs, two rows of one entity would agree on it as often as two entities do. All rows beyond each
    /// entity's first agree, which must be that unlikely. A constant is as well theirs as anybody's.
    fn evident(&self, different_rows: usize, values: &Values) -> bool {
        let mut sorted = self.last_row.clone();
        let compare = |left: &u32, right: &u32| values.compare(*left as usize, *right as usize);
        sorted.sort_unstable_by(compare);
        let pairs = |count: usize| count as f64 * (count as f64 - 1.0);
        let agreeing: f64 =
            sorted.chunk_by(|left, right| compare(left, right) == Ordering::Equal).map(|same| pairs(same.len())).sum();
        let chance = if self.count > 1 { agreeing / pairs(self.count) } else { 1.0 };
        let repetitions = different_rows.saturating_sub(self.count);
        chance == 1.0 || chance.powf(repetitions as f64) <= CHANCE
    }
}

/// The role of every feature, in the order of [`Prepared::features`].
///
/// A column that is both the user's and the item's belongs to the side with fewer entities: more rows agree there,
/// and a constant costs least. Equal numbers make it the user's. Columns that the options list need no evidence.
pub(crate) fn roles(
    prepared: &Prepared,
    rows: &[u32],
    sides: Option<(&Entities, &Entities)>,
    options: &ValidOptions,
) -> Result<Vec<Role>> {
    let different = different_rows(prepared, rows);
    let evidence = |entities: &Entities, values: &Values| {
        entities.determine(rows, values)
            && (prepared.objective == Objective::Implicit || entities.evident(different, values))
    };
    let role = |(name, values): &(String, Values)| {
        let Some((users, items)) = sides else { return Role::Context };
        if options.user_columns.contains(name) {
            return Role::UserFeature;
        }
        if options.item_columns.contains(name) {
            return Role::ItemFeature;
        }
        match (evidence(users, values), evidence(items, values)) {
            (true, true) if items.count < users.count => Role::ItemFeature,
            (true, _) => Role::UserFeature,
            (false, true) => Role::ItemFeature,
            (false, false) => Role::Context,
        }
    };
    let roles: Vec<Role> = prepared.features.iter().map(role).collect();
    let context: Vec<&str> = prepared
        .features
        .iter()
        .zip(&roles)
        .filter(|(_, role)| **role == Role::Context)
        .map(|((name, _), _)| name.as_str())
        .collect();
    if prepared.objective == Objective::Implicit && !context.is_empty() {
        return Err(Error::InvalidData(format!(
            "{} varies for one user and for one item, and the implicit objective learns only from columns of the \
             user's or the item's side; leave it out, list it in user_columns or item_columns (the last value counts), \
             or name a target",
            context.join(", ")
        )));
    }
    Ok(roles)
}

/// How many of the rows, which ascend, differ from all others in more than target and weight.
fn different_rows(prepared: &Prepared, rows: &[u32]) -> usize {
    let repeats = rows.windows(2).filter(|pair| prepared.alike(pair[0] as usize, pair[1] as usize)).count();
    rows.len() - repeats
}
