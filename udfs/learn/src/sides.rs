//! Which side a column belongs to, and the value of each entity's attributes that the model keeps.

use crate::{
    error::{Error, Result},
    model::Role,
    options::{Objective, ValidOptions},
    prepare::Prepared,
    table::Values,
};

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
}

/// The role of every feature, in the order of [`Prepared::features`].
///
/// A column that both the user and the item determine belongs to the side with fewer entities: more rows agree there,
/// and a constant costs least. Equal numbers make it the user's.
pub(crate) fn roles(
    prepared: &Prepared,
    rows: &[u32],
    sides: Option<(&Entities, &Entities)>,
    options: &ValidOptions,
) -> Result<Vec<Role>> {
    let role = |(name, values): &(String, Values)| {
        let Some((users, items)) = sides else { return Role::Context };
        if options.user_columns.contains(name) {
            return Role::UserFeature;
        }
        if options.item_columns.contains(name) {
            return Role::ItemFeature;
        }
        match (users.determine(rows, values), items.determine(rows, values)) {
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
