//! Scores of rows: a batch bound to a model by name, then evaluated row by row.

use std::borrow::Cow;

use crate::{
    encode::{Bound, Encoding, Features},
    error::{Error, Result},
    factors::{Side, SideFactors},
    model::{Column, Model, Role},
    score::{ContextPart, Query, Whole, add_features},
    table::{Table, UNSEEN},
};

impl Model {
    /// The score of each row on the link scale: the number itself (unclipped), the log odds, or the affinity.
    ///
    /// The batch must hold the user, the item and every context column. Columns of the user's or the item's side may be
    /// missing: the model's kept values stand in for known entities, nothing for others. Those that are there override.
    ///
    /// # Errors
    /// [`Error::InvalidData`] for a missing column, a column of another kind, or an infinity.
    pub fn predict(&self, batch: &Table) -> Result<Vec<f64>> {
        let context = ContextBatch::bind(self, batch)?;
        let mut scores = Vec::with_capacity(batch.rows);
        let (mut query, mut part) = (Query::default(), ContextPart::default());
        let sides = if self.has_sides() {
            Some((SideBatch::bind(self, batch, Role::User)?, SideBatch::bind(self, batch, Role::Item)?))
        } else {
            None
        };
        let (mut user, mut item) = (Scratch::new(self.factors()), Scratch::new(self.factors()));
        let zeros = vec![0.0; self.factors()];
        for row in 0..batch.rows {
            let context = if context.is_empty() {
                None
            } else {
                context.gather(row, &mut part);
                Some(&part)
            };
            let score = match &sides {
                Some((users, items)) => {
                    let (bias, vector) = users.whole(row, &mut user);
                    query.gather(self.parts.factors.mean, bias, vector, context);
                    let (bias, vector) = items.whole(row, &mut item);
                    query.score(bias, vector)
                }
                None => {
                    query.gather(self.parts.factors.mean, 0.0, &zeros, context);
                    query.base
                }
            };
            scores.push(score);
        }
        match scores.iter().position(|score| !score.is_finite()) {
            Some(row) => {
                Err(Error::InvalidData(format!("the score of row {row} of a batch is out of range; check its numbers")))
            }
            None => Ok(scores),
        }
    }

    /// For each row, how many of its categories (bag members included) training had not seen.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn unseen(&self, batch: &Table) -> Result<Vec<u32>> {
        let mut counts = vec![0; batch.rows];
        for column in self.columns() {
            let Some(bound) = bind(column, batch)? else { continue };
            counts.iter_mut().enumerate().for_each(|(row, count)| *count += bound.unseen(row));
        }
        Ok(counts)
    }
}

/// A column of the batch as the model takes it, if the batch has it.
pub(crate) fn bind<'a>(column: &'a Column, batch: &'a Table) -> Result<Option<Bound<'a>>> {
    let Some(values) = batch.column(&column.name) else { return Ok(None) };
    values.check(&column.name, batch.rows)?;
    column.encoding.bind(&column.name, values, column.first_feature).map(Some)
}

fn missing(column: &Column) -> Error {
    Error::InvalidData(format!("the input has no column {}, which the model was trained on; select it", column.name))
}

/// The context columns of a batch, a lone user or item included.
pub(crate) struct ContextBatch<'a> {
    model: &'a Model,
    columns: Vec<Bound<'a>>,
}

impl<'a> ContextBatch<'a> {
    pub(crate) fn bind(model: &'a Model, batch: &'a Table) -> Result<Self> {
        let sides = model.has_sides();
        let own = model.columns().iter().filter(|column| match column.role {
            Role::Context => true,
            Role::User | Role::Item => !sides,
            _ => false,
        });
        let columns = own.map(|column| bind(column, batch)?.ok_or_else(|| missing(column))).collect::<Result<_>>()?;
        Ok(Self { model, columns })
    }

    /// Whether the model has no context.
    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The context's part of a row.
    pub(crate) fn gather(&self, row: usize, part: &mut ContextPart) {
        let mut features = Features::default();
        self.columns.iter().for_each(|column| column.push(row, &mut features));
        part.gather(&self.model.parts.factors, &self.model.context_norms, &features.indices, &features.values);
    }
}

/// The users or the items of a batch.
pub(crate) struct SideBatch<'a> {
    /// The model's code of each row's entity; empty if the batch does not say.
    pub(crate) codes: Cow<'a, [u32]>,
    side: &'a Side,
    own: &'a SideFactors,
    kept: &'a Whole,
    /// The side's columns in the order of features, with the batch's values where it has them.
    columns: Vec<(&'a Column, Option<Bound<'a>>)>,
    given: bool,
}

/// What composing one entity's vector reuses.
pub(crate) struct Scratch {
    features: Features,
    vector: Vec<f32>,
}

impl Scratch {
    pub(crate) fn new(factors: usize) -> Self {
        Self { features: Features::default(), vector: vec![0.0; factors] }
    }
}

impl<'a> SideBatch<'a> {
    /// Binds one side; the key must be there.
    pub(crate) fn bind(model: &'a Model, batch: &'a Table, role: Role) -> Result<Self> {
        let side = Self::bind_loosely(model, batch, role)?;
        match model.key(role) {
            Some(key) if side.codes.is_empty() && batch.rows > 0 => Err(missing(key)),
            _ => Ok(side),
        }
    }

    /// Binds one side, whose key may be missing: then every entity is unknown.
    pub(crate) fn bind_loosely(model: &'a Model, batch: &'a Table, role: Role) -> Result<Self> {
        let mut side = Self::all(model, role);
        side.codes = match model.key(role) {
            Some(key) => bind(key, batch)?.map_or(Cow::Borrowed(&[][..]), |bound| bound.codes),
            None => Cow::Borrowed(&[][..]),
        };
        for (column, bound) in &mut side.columns {
            *bound = bind(column, batch)?;
            side.given |= bound.is_some();
        }
        Ok(side)
    }

    /// Every entity that the model knows, in order, as the model keeps it.
    pub(crate) fn all(model: &'a Model, role: Role) -> Self {
        let parts = &model.parts;
        let (side, own, kept, features) = match role {
            Role::User => (&parts.users, &parts.factors.user, &model.users, Role::UserFeature),
            _ => (&parts.items, &parts.factors.item, &model.items, Role::ItemFeature),
        };
        let columns = model.columns().iter().filter(|column| column.role == features);
        Self {
            codes: (0..side.entities as u32).collect(),
            side,
            own,
            kept,
            columns: columns.map(|column| (column, None)).collect(),
            given: false,
        }
    }

    /// The model's code of a row's entity, or [`UNSEEN`].
    pub(crate) fn code(&self, row: usize) -> u32 {
        self.codes.get(row).copied().filter(|&code| (code as usize) < self.side.entities).unwrap_or(UNSEEN)
    }

    /// The bias and the vector of a row's entity: its own, and its features' parts, given or kept.
    pub(crate) fn whole<'s>(&'s self, row: usize, scratch: &'s mut Scratch) -> (f32, &'s [f32]) {
        let code = self.code(row);
        if code != UNSEEN && !self.given {
            return self.kept.of(code, scratch.vector.len());
        }
        self.compose(row, code, code != UNSEEN, scratch)
    }

    /// What the features alone say of a row's entity: the prior mean of its vector.
    pub(crate) fn prior<'s>(&'s self, row: usize, scratch: &'s mut Scratch) -> (f32, &'s [f32]) {
        self.compose(row, self.code(row), false, scratch)
    }

    fn compose<'s>(&'s self, row: usize, code: u32, with_own: bool, scratch: &'s mut Scratch) -> (f32, &'s [f32]) {
        let factors = scratch.vector.len();
        let mut bias = 0.0;
        scratch.vector.fill(0.0);
        if with_own {
            scratch.vector.copy_from_slice(&self.own.vectors[code as usize * factors..][..factors]);
            bias = self.own.biases[code as usize];
        }
        scratch.features.clear();
        for (column, bound) in &self.columns {
            match bound {
                Some(bound) => bound.push(row, &mut scratch.features),
                None if code != UNSEEN => self.push_kept(column, code, &mut scratch.features),
                None => {}
            }
        }
        let Scratch { features, vector } = scratch;
        add_features(self.own, &features.indices, &features.values, vector, &mut bias);
        (bias, vector)
    }

    /// The features of a column that the model keeps for an entity.
    fn push_kept(&self, column: &Column, code: u32, out: &mut Features) {
        let (indices, values) = self.side.features.row(code as usize);
        let first = column.first_feature as u32;
        let start = indices.partition_point(|&index| index < first);
        let end = indices.partition_point(|&index| index < first + column.encoding.width() as u32);
        (start..end).for_each(|at| out.add(indices[at], values[at]));
    }

    /// The code of a category column of this side in a row, given or kept; a NULL is the dictionary's length, an unseen
    /// or unknown one [`UNSEEN`].
    pub(crate) fn category(&self, name: &str, row: usize) -> u32 {
        let Some((column, bound)) = self.columns.iter().find(|(column, _)| column.name == name) else { return UNSEEN };
        let mut features = Features::default();
        match bound {
            Some(bound) => bound.push(row, &mut features),
            None if self.code(row) != UNSEEN => self.push_kept(column, self.code(row), &mut features),
            None => {}
        }
        features.indices.first().map_or(UNSEEN, |&index| index - column.first_feature as u32)
    }

    /// Whether this side has a category column of this name.
    pub(crate) fn has_category(&self, name: &str) -> bool {
        let is_category = |column: &Column| matches!(column.encoding, Encoding::Category { .. });
        self.columns.iter().any(|(column, _)| column.name == name && is_category(column))
    }
}
