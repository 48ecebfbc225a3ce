//! A trained model: what it was trained on, its parameters, and everything scoring needs.
//!
//! A model binds its inputs by name: [`Model::columns`] says which columns it reads and how each is coded. A batch is a
//! [`crate::Table`] that holds those columns in any order, others are ignored. Category columns should carry the
//! model's own dictionary ([`Column::dictionary`], the same `Arc`): their codes are then taken as they are; any other
//! dictionary is translated by value, which costs a pass over it.

use std::sync::Arc;

use crate::{
    encode::Encoding,
    error::{Error, Result},
    factors::{Factors, Side},
    options::Objective,
    score::{Whole, context_norms},
    sparse::Csr,
    table::Dictionary,
};

/// What a column is to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The user.
    User,
    /// The item.
    Item,
    /// An attribute of the user; the model keeps every known user's last value.
    UserFeature,
    /// An attribute of the item; the model keeps every known item's last value.
    ItemFeature,
    /// A feature that every scored row must bring.
    Context,
}

/// A column that the model reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name it is bound by.
    pub name: String,
    /// What it is to the model. A lone user or item (without the other) keeps its role though it enters as context.
    pub role: Role,
    /// How its values become features.
    pub encoding: Encoding,
    /// The first of its features among the features of its side (user, item or context). The user and the item of a
    /// model that has both are offsets rather than features and start nowhere: zero.
    pub first_feature: usize,
    /// How many held-out rows had a category here that training had not seen.
    pub unseen_rows: u64,
}

impl Column {
    /// What the codes of a category or a bag stand for.
    pub fn dictionary(&self) -> Option<&Arc<Dictionary>> {
        self.encoding.dictionary()
    }
}

/// What the model predicts.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The column's name in the training input.
    pub name: String,
    /// The predicted values.
    pub kind: TargetKind,
}

/// The values of a target.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetKind {
    /// A number; predictions are clipped to the range of training.
    Number {
        /// The smallest target of training.
        minimum: f64,
        /// The largest.
        maximum: f64,
    },
    /// `false` and `true`.
    Boolean,
    /// Two texts in byte order; a probability is that of the second.
    Text([String; 2]),
    /// The integers 0 and 1.
    Integer,
}

/// A trained embedding model. Equal training inputs give equal models, and equal models equal bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub(crate) parts: Parts,
    /// Users with their side features' parts, precomputed.
    pub(crate) users: Whole,
    /// Items with their side features' parts, precomputed.
    pub(crate) items: Whole,
    /// The squared length of every context feature's vector.
    pub(crate) context_norms: Vec<f64>,
}

/// What of a model is stored; the rest follows from it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parts {
    pub(crate) objective: Objective,
    pub(crate) target: Option<Target>,
    /// User, item, then features by name.
    pub(crate) columns: Vec<Column>,
    pub(crate) factors: Factors,
    pub(crate) users: Side,
    pub(crate) items: Side,
    /// Pairs of the training input, users x items, held-out ones included: weights (implicit) or mean targets.
    pub(crate) seen: Csr,
    /// Which of the seen pairs were trained on, in their order.
    pub(crate) seen_trained: Vec<bool>,
    pub(crate) held_out_users: Option<HeldOutUsers>,
    pub(crate) fold_in: FoldIn,
    /// How many rows (implicit: pairs) of training each item has.
    pub(crate) item_rows: Vec<u32>,
    /// The weighted mean target of training.
    pub(crate) base: f64,
    /// The weighted mean target of each item of a regression, lone items included.
    pub(crate) item_means: Vec<f64>,
    /// How many rows (implicit: pairs) were trained on.
    pub(crate) rows: u64,
}

/// What solving a user's row anew needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FoldIn {
    /// It is not possible.
    None,
    /// The ridges of the users' prior.
    Squared { bias: f64, vector: Vec<f64> },
    /// The solver's settings.
    Implicit { alpha: f64, regularization: f64, frequency_exponent: f64, unobserved_weight: f64 },
}

/// Users of the training input whose every row was held out: the model knows nothing of them but what they have seen.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOutUsers {
    /// Who they are.
    pub dictionary: Arc<Dictionary>,
    /// Their pairs: these users x items.
    pub(crate) seen: Csr,
}

/// An embedded column: a row a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    /// The keys: the dictionary's codes in order.
    pub dictionary: Arc<Dictionary>,
    /// Whether one more row, the last, stands for NULL.
    pub null: bool,
    /// The length of every vector.
    pub factors: usize,
    /// A bias a key.
    pub biases: Vec<f32>,
    /// Keys x `factors`, row-major; side columns included.
    pub vectors: Vec<f32>,
}

impl Model {
    /// A model of these parts, which must fit together.
    pub(crate) fn new(parts: Parts) -> Result<Self> {
        parts
            .check()
            .map_err(|problem| Error::Internal(format!("a trained model does not fit together: {problem}")))?;
        Ok(Self::checked(parts))
    }

    /// A model of parts that [`Parts::check`] accepted.
    pub(crate) fn checked(parts: Parts) -> Self {
        let factors = &parts.factors;
        let users = Whole::new(&parts.users, &factors.user, factors.factors);
        let items = Whole::new(&parts.items, &factors.item, factors.factors);
        let context_norms = context_norms(factors);
        Self { parts, users, items, context_norms }
    }

    /// The columns that the model reads: the user and the item if there are any, then the features by name.
    pub fn columns(&self) -> &[Column] {
        &self.parts.columns
    }

    /// What the model minimises.
    pub fn objective(&self) -> Objective {
        self.parts.objective
    }

    /// What the model predicts; `None` for implicit models, whose scores are affinities.
    pub fn target(&self) -> Option<&Target> {
        self.parts.target.as_ref()
    }

    /// The length of every embedding.
    pub fn factors(&self) -> usize {
        self.parts.factors.factors
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns().iter().find(|column| column.name == name)
    }

    /// The user's or the item's column, a lone one included.
    pub fn key(&self, role: Role) -> Option<&Column> {
        self.columns().iter().take(2).find(|column| column.role == role && matches!(role, Role::User | Role::Item))
    }

    /// Whether the model has both a user and an item, and so can recommend.
    pub fn has_sides(&self) -> bool {
        self.key(Role::User).is_some() && self.key(Role::Item).is_some()
    }

    /// How many rows (implicit: pairs) the model was trained on.
    pub fn rows(&self) -> u64 {
        self.parts.rows
    }

    /// Users that are in the training input but whose every row was held out, if there are any.
    pub fn held_out_users(&self) -> Option<&HeldOutUsers> {
        self.parts.held_out_users.as_ref()
    }

    /// What a score means to users: a number clipped to the range of training, the probability of the second class (of
    /// `true`, of 1), or the affinity as it is.
    pub fn prediction(&self, score: f64) -> f64 {
        match self.target().map(|target| &target.kind) {
            None => score,
            Some(TargetKind::Number { minimum, maximum }) => score.clamp(*minimum, *maximum),
            Some(_) => sigmoid(score),
        }
    }

    /// The embeddings of the user, the item or any category column, keys in the order of the column's dictionary.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] naming the columns that have embeddings.
    pub fn embeddings(&self, column: &str) -> Result<Embeddings> {
        let embedded = |column: &&Column| matches!(column.encoding, Encoding::Category { .. });
        let Some(column) = self.columns().iter().filter(embedded).find(|known| known.name == column) else {
            let names: Vec<_> = self.columns().iter().filter(embedded).map(|column| column.name.as_str()).collect();
            let problem =
                format!("the column {column} has no embeddings in this model; those of {} do", names.join(", "));
            return Err(Error::InvalidOption { name: "column".into(), problem });
        };
        let Encoding::Category { dictionary, null } = &column.encoding else {
            return Err(Error::Internal("an embedded column is not a category".into()));
        };
        let factors = self.factors();
        let all = &self.parts.factors;
        let (biases, vectors) = match column.role {
            Role::User if self.has_sides() => (&self.users.biases, &self.users.vectors),
            Role::Item if self.has_sides() => (&self.items.biases, &self.items.vectors),
            Role::UserFeature => (&all.user.feature_biases, &all.user.feature_vectors),
            Role::ItemFeature => (&all.item.feature_biases, &all.item.feature_vectors),
            _ => (&all.context_biases, &all.context_vectors),
        };
        let range = column.first_feature..column.first_feature + column.encoding.width();
        Ok(Embeddings {
            dictionary: dictionary.clone(),
            null: *null,
            factors,
            biases: biases[range.clone()].to_vec(),
            vectors: vectors[range.start * factors..range.end * factors].to_vec(),
        })
    }
}

/// The probability of log odds, without overflow at either end.
pub(crate) fn sigmoid(score: f64) -> f64 {
    if score >= 0.0 {
        1.0 / (1.0 + (-score).exp())
    } else {
        let odds = score.exp();
        odds / (1.0 + odds)
    }
}

impl Parts {
    /// How many features a side has: those of its columns.
    fn width(&self, side: Role) -> usize {
        let lone = !(self.has(Role::User) && self.has(Role::Item));
        let of_side = |column: &&Column| match column.role {
            Role::User | Role::Item => lone && side == Role::Context,
            role => role == side,
        };
        self.columns.iter().filter(of_side).map(|column| column.encoding.width()).sum()
    }

    fn has(&self, role: Role) -> bool {
        self.columns.iter().any(|column| column.role == role)
    }

    /// Whether everything has the shape that scoring relies on. Sums cannot overflow: every part was allocated.
    pub(crate) fn check(&self) -> std::result::Result<(), String> {
        let sides = self.has(Role::User) && self.has(Role::Item);
        let keys = |role| match self.columns.iter().find(|column| column.role == role) {
            Some(column) if sides => column.encoding.width(),
            _ => 0,
        };
        let (users, items, factors) = (keys(Role::User), keys(Role::Item), self.factors.factors);
        for (what, side, own, entities, role) in [
            ("user", &self.users, &self.factors.user, users, Role::UserFeature),
            ("item", &self.items, &self.factors.item, items, Role::ItemFeature),
        ] {
            let width = self.width(role);
            let fits = side.entities == entities
                && side.features.columns == width
                && side.features.rows() == entities
                && own.biases.len() == entities
                && Some(own.vectors.len()) == entities.checked_mul(factors)
                && own.feature_biases.len() == width
                && Some(own.feature_vectors.len()) == width.checked_mul(factors);
            if !fits {
                return Err(format!("the {what}s' parameters do not fit {entities} {what}s with {width} features"));
            }
        }
        let context = self.width(Role::Context);
        if self.factors.context_biases.len() != context
            || Some(self.factors.context_vectors.len()) != context.checked_mul(factors)
        {
            return Err(format!("the context's parameters do not fit {context} features"));
        }
        self.check_features()?;
        self.check_seen(users, items)?;
        self.check_numbers()
    }

    /// Whether the columns lie one after the other within their side, keys first.
    fn check_features(&self) -> std::result::Result<(), String> {
        let sides = self.has(Role::User) && self.has(Role::Item);
        let mut next = [0; 3];
        for (position, column) in self.columns.iter().enumerate() {
            let key = matches!(column.role, Role::User | Role::Item);
            let key_encoding = matches!(&column.encoding, Encoding::Category { null: false, .. });
            let twice = self.columns[..position]
                .iter()
                .any(|other| other.name == column.name || key && other.role == column.role);
            if twice || key && !(key_encoding && position < 2) {
                return Err(format!("the column {} is out of place", column.name));
            }
            let side = match column.role {
                Role::User | Role::Item if sides => {
                    if column.first_feature != 0 {
                        return Err(format!("the key {} has features", column.name));
                    }
                    continue;
                }
                Role::UserFeature | Role::ItemFeature if !sides => {
                    return Err(format!("the column {} belongs to a side that is not there", column.name));
                }
                Role::UserFeature => 0,
                Role::ItemFeature => 1,
                _ => 2,
            };
            if column.first_feature != next[side] {
                return Err(format!("the features of {} start at the wrong place", column.name));
            }
            next[side] += column.encoding.width();
        }
        Ok(())
    }

    fn check_seen(&self, users: usize, items: usize) -> std::result::Result<(), String> {
        let held_out = self.held_out_users.as_ref();
        let held_out_fits = held_out
            .is_none_or(|held_out| held_out.seen.rows() == held_out.dictionary.len() && held_out.seen.columns == items);
        let means = self.item_means.len();
        let item = self.columns.iter().find(|column| column.role == Role::Item);
        let means_fit = means == 0 || item.is_some_and(|column| column.encoding.width() == means);
        let fits = self.seen.rows() == users
            && self.seen.columns == items
            && self.seen_trained.len() == self.seen.indices.len()
            && held_out_fits;
        if !fits || self.item_rows.len() != items || !means_fit {
            return Err("the seen pairs do not fit the users and items".into());
        }
        Ok(())
    }

    fn check_numbers(&self) -> std::result::Result<(), String> {
        let factors = &self.factors;
        let arrays = [&factors.user, &factors.item]
            .into_iter()
            .flat_map(|side| [&side.vectors, &side.biases, &side.feature_vectors, &side.feature_biases])
            .chain([&factors.context_vectors, &factors.context_biases])
            .chain([&self.users.features.values, &self.items.features.values]);
        let finite = arrays.into_iter().all(|values| values.iter().all(|value| value.is_finite()));
        if !finite
            || !factors.mean.is_finite()
            || !self.base.is_finite()
            || !self.item_means.iter().all(|mean| mean.is_finite())
        {
            return Err("a parameter is not a finite number".into());
        }
        match (&self.target, self.objective) {
            (None, Objective::Implicit) if factors.factors > 0 && self.has(Role::User) && self.has(Role::Item) => {}
            (Some(Target { kind: TargetKind::Number { minimum, maximum }, .. }), Objective::Squared) => {
                if !(minimum.is_finite() && maximum.is_finite() && minimum <= maximum) {
                    return Err("the target's range is not one".into());
                }
            }
            (Some(Target { kind, .. }), Objective::Logistic) if !matches!(kind, TargetKind::Number { .. }) => {}
            _ => return Err("the target does not suit the objective".into()),
        }
        match &self.fold_in {
            FoldIn::Squared { vector, .. } if vector.len() != factors.factors => {
                Err("the users' prior does not fit the factors".into())
            }
            _ => Ok(()),
        }
    }
}
