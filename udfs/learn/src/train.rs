//! One model from given rows: encode them, solve, and keep what scoring needs.

use std::sync::Arc;

use crate::{
    choose,
    control::Control,
    encode::{Encoding, Features, used},
    error::{Error, Result},
    factors::{Factors, Side},
    model::{Column, FoldIn, HeldOutUsers, Model, Parts, Role, Target, TargetKind},
    options::{Objective, ValidOptions},
    prepare::{Keys, Prepared},
    sides::{Entities, roles},
    solve::{ImplicitProblem, Problem, als, gradient, implicit},
    sparse::Csr,
    split::Units,
    table::{UNSEEN, Values},
    target::check_variation,
};

/// Trains on these units, which ascend.
pub(crate) fn train(
    prepared: &Prepared,
    units: &Units,
    chosen: &[u32],
    options: &ValidOptions,
    threads: usize,
    control: &dyn Control,
) -> Result<Model> {
    let rows = units.rows_of(chosen);
    if let Some(target) = &prepared.target {
        check_variation(target, &rows, "training")?;
    }
    let encoded = Encoded::new(prepared, &rows, options)?;
    control.check()?;
    let pairs = Pairs { prepared, units, encoded: &encoded, options };
    let (mut factors, fold_in) = match prepared.objective {
        Objective::Implicit => solve_implicit(&pairs, chosen, threads, control)?,
        _ => solve_rows(&encoded, prepared, &rows, options, threads, control)?,
    };
    complete(&mut factors, &encoded);
    let Seen { pairs: seen, trained: seen_trained, held_out_users } = pairs.seen(chosen);
    let parts = Parts {
        objective: prepared.objective,
        target: prepared.target.as_ref().map(|target| Target {
            name: target.name.clone(),
            kind: with_range(&target.kind, rows.iter().map(|&row| target.values[row as usize])),
        }),
        item_rows: item_rows(&encoded, prepared, chosen, units),
        base: base(prepared, &rows),
        item_means: item_means(&encoded, prepared, &rows),
        columns: encoded.columns,
        factors,
        users: encoded.users,
        items: encoded.items,
        seen,
        seen_trained,
        held_out_users,
        fold_in,
        rows: chosen.len() as u64,
    };
    Model::new(parts)
}

/// The rows trained on, as features.
struct Encoded {
    columns: Vec<Column>,
    users: Side,
    items: Side,
    /// The user of each row; empty without sides.
    user: Vec<u32>,
    item: Vec<u32>,
    context: Csr,
}

impl Encoded {
    fn new(prepared: &Prepared, rows: &[u32], options: &ValidOptions) -> Result<Self> {
        let entities = |keys: &Keys| Entities::new(&keys.codes, keys.dictionary.len(), rows, &prepared.time);
        let sides = match (&prepared.user, &prepared.item) {
            (Some(user), Some(item)) => Some((entities(user), entities(item))),
            _ => None,
        };
        let roles = roles(prepared, rows, sides.as_ref().map(|(users, items)| (users, items)), options)?;
        let mut encoded = Self {
            columns: Vec::new(),
            users: Side::default(),
            items: Side::default(),
            user: Vec::new(),
            item: Vec::new(),
            context: Csr::default(),
        };
        let mut widths = Widths::default();
        for (keys, role) in [(&prepared.user, Role::User), (&prepared.item, Role::Item)] {
            let Some(keys) = keys else { continue };
            let own: Vec<u32> = rows.iter().map(|&row| keys.codes[row as usize]).collect();
            let encoding = Encoding::Category { dictionary: used(&own, &keys.dictionary), null: false };
            let place = if sides.is_some() { None } else { Some(Role::Context) };
            encoded.columns.push(widths.place(&keys.name, role, place, encoding)?);
        }
        for ((name, values), role) in prepared.features.iter().zip(roles) {
            let kept = match (&sides, role) {
                (Some((users, _)), Role::UserFeature) => &users.last_row,
                (Some((_, items)), Role::ItemFeature) => &items.last_row,
                _ => rows,
            };
            encoded.columns.push(widths.place(name, role, Some(role), Encoding::fit(values, kept))?);
        }
        if let Some((users, items)) = sides {
            let features = |role, rows: &[u32]| matrix(&encoded.columns, prepared, role, rows, widths.of(role));
            encoded.users = Side { entities: users.count, features: features(Role::UserFeature, &users.last_row)? };
            encoded.items = Side { entities: items.count, features: features(Role::ItemFeature, &items.last_row)? };
            (encoded.user, encoded.item) = (users.of_row, items.of_row);
        }
        encoded.context = matrix(&encoded.columns, prepared, Role::Context, rows, widths.context)?;
        Ok(encoded)
    }

    /// For every code of the input, the model's, or [`UNSEEN`].
    fn codes(&self, keys: &Keys, role: Role) -> Vec<u32> {
        let own = self.columns.iter().find(|column| column.role == role).and_then(Column::dictionary);
        own.and_then(|own| keys.dictionary.codes_in(own)).unwrap_or_default()
    }
}

/// How many features each side has so far.
#[derive(Default)]
struct Widths {
    user: usize,
    item: usize,
    context: usize,
}

impl Widths {
    fn of(&self, role: Role) -> usize {
        match role {
            Role::UserFeature => self.user,
            Role::ItemFeature => self.item,
            _ => self.context,
        }
    }

    /// A column whose features come after those that its side has.
    fn place(&mut self, name: &str, role: Role, side: Option<Role>, encoding: Encoding) -> Result<Column> {
        let mut first = 0;
        if let Some(side) = side {
            let width = match side {
                Role::UserFeature => &mut self.user,
                Role::ItemFeature => &mut self.item,
                _ => &mut self.context,
            };
            first = *width;
            *width += encoding.width();
            if *width >= UNSEEN as usize {
                return Err(Error::LimitExceeded(format!(
                    "the features up to the column {name} pass {UNSEEN}; leave columns out"
                )));
            }
        }
        Ok(Column { name: name.into(), role, encoding, first_feature: first, unseen_rows: 0 })
    }
}

/// The features of one side, a matrix row a row given. A lone user or item is context.
fn matrix(columns: &[Column], prepared: &Prepared, side: Role, rows: &[u32], width: usize) -> Result<Csr> {
    let keys = [&prepared.user, &prepared.item].into_iter().flatten();
    let lone = prepared.user.is_none() || prepared.item.is_none();
    let key_columns = keys.filter(|_| lone && side == Role::Context).map(|keys| {
        let codes = rows.iter().map(|&row| keys.codes[row as usize]).collect();
        (&keys.name, Values::Category { codes, dictionary: keys.dictionary.clone() })
    });
    let features = prepared
        .features
        .iter()
        .filter(|(name, _)| columns.iter().any(|column| column.name == *name && column.role == side));
    let taken: Vec<_> = key_columns.chain(features.map(|(name, values)| (name, values.take(rows)))).collect();
    let bound = columns
        .iter()
        .filter_map(|column| taken.iter().find(|(name, _)| **name == column.name).map(|(_, values)| (column, values)))
        .map(|(column, values)| column.encoding.bind(&column.name, values, column.first_feature))
        .collect::<Result<Vec<_>>>()?;
    let mut offsets = Vec::with_capacity(rows.len() + 1);
    offsets.push(0);
    let mut out = Features::default();
    for row in 0..rows.len() {
        bound.iter().for_each(|column| column.push(row, &mut out));
        offsets.push(out.indices.len());
    }
    Ok(Csr { offsets, indices: out.indices, values: out.values, columns: width })
}

fn solve_rows(
    encoded: &Encoded,
    prepared: &Prepared,
    rows: &[u32],
    options: &ValidOptions,
    threads: usize,
    control: &dyn Control,
) -> Result<(Factors, FoldIn)> {
    let values = prepared.target.as_ref().map_or(&[][..], |target| &target.values);
    let regularization = options.hyperparameter("regularization");
    // Far from zero single precision could not tell the targets apart.
    let centre = if prepared.objective == Objective::Squared { base(prepared, rows) } else { 0.0 };
    let target: Vec<f32> = rows.iter().map(|&row| (values[row as usize] - centre) as f32).collect();
    // What is learnt of the noise and the priors must not depend on the unit of the weights; a given regularization does.
    let total: f64 = rows.iter().map(|&row| prepared.weight[row as usize]).sum();
    let unit = if regularization.is_some() { 1.0 } else { total / rows.len() as f64 };
    let weight: Vec<f32> = rows.iter().map(|&row| (prepared.weight[row as usize] / unit) as f32).collect();
    let out_of_range = |numbers: &[f32]| numbers.iter().any(|number| !number.is_finite());
    if out_of_range(&target) || weight.iter().any(|&weight| !(weight > 0.0 && weight.is_finite())) {
        let problem = "a target or weight is outside the range of single-precision numbers (1e-38 to 1e38); scale it";
        return Err(Error::InvalidData(problem.into()));
    }
    let problem = Problem {
        users: &encoded.users,
        items: &encoded.items,
        user: &encoded.user,
        item: &encoded.item,
        context: &encoded.context,
        target: &target,
        weight: &weight,
    };
    let whole = |name: &str, default: usize| options.hyperparameter(name).map_or(default, |value| value as usize);
    if prepared.objective == Objective::Squared {
        let default = als::AlsOptions::default();
        let mut settings = als::AlsOptions {
            factors: whole("factors", default.factors),
            epochs: whole("epochs", default.epochs),
            regularization,
            seed: options.seed,
            threads,
            ..default
        };
        if regularization.is_none() {
            let any_factors = options.hyperparameter("factors").is_none();
            settings = choose::regression(&problem, &settings, any_factors, control)?;
        }
        let (mut factors, prior) = als::fit_with_prior(&problem, &settings, control)?;
        factors.mean += centre;
        return Ok((factors, FoldIn::Squared { bias: prior.bias, vector: prior.vector }));
    }
    let default = gradient::GradientOptions::default();
    let mut settings = gradient::GradientOptions {
        factors: whole("factors", default.factors),
        epochs: whole("epochs", default.epochs),
        learning_rate: options.hyperparameter("learning_rate").unwrap_or(default.learning_rate),
        regularization: default.regularization,
        seed: options.seed,
        threads,
    };
    settings.regularization = match regularization {
        Some(given) => given,
        None => choose::regularization(&problem, &settings, control)?,
    };
    Ok((gradient::fit(&problem, &settings, control)?, FoldIn::None))
}

fn solve_implicit(pairs: &Pairs, chosen: &[u32], threads: usize, control: &dyn Control) -> Result<(Factors, FoldIn)> {
    let options = pairs.options;
    let (users, items) = (&pairs.encoded.users, &pairs.encoded.items);
    let (user_codes, item_codes) = pairs.codes();
    let mut seen = Builder::new(users.entities, items.entities);
    for &unit in chosen {
        let (user, item) = pairs.keys(unit);
        seen.add(user_codes[user as usize], item_codes[item as usize], pairs.value(unit));
    }
    let seen = seen.finish();
    let problem = ImplicitProblem { users, items, seen: &seen };
    let default = implicit::ImplicitOptions::suited_to(&problem);
    let number = |name: &str, default: f64| options.hyperparameter(name).unwrap_or(default);
    let settings = implicit::ImplicitOptions {
        factors: number("factors", default.factors as f64) as usize,
        epochs: number("epochs", default.epochs as f64) as usize,
        regularization: number("regularization", default.regularization),
        frequency_exponent: number("frequency_exponent", default.frequency_exponent),
        unobserved_weight: number("unobserved_weight", default.unobserved_weight),
        feature_regularization: number("feature_regularization", default.feature_regularization),
        seed: options.seed,
        threads,
    };
    let factors = implicit::fit(&problem, &settings, control)?;
    let fold_in = FoldIn::Implicit {
        alpha: number("alpha", ALPHA),
        regularization: settings.regularization,
        frequency_exponent: settings.frequency_exponent,
        unobserved_weight: settings.unobserved_weight,
    };
    Ok((factors, fold_in))
}

/// Gives parameters that a solver left out (as implicit does biases) the value zero.
fn complete(factors: &mut Factors, encoded: &Encoded) {
    let width = factors.factors;
    let fill = |values: &mut Vec<f32>, length: usize| {
        if values.is_empty() {
            values.resize(length, 0.0);
        }
    };
    for (own, side) in [(&mut factors.user, &encoded.users), (&mut factors.item, &encoded.items)] {
        fill(&mut own.vectors, side.entities * width);
        fill(&mut own.biases, side.entities);
        fill(&mut own.feature_vectors, side.features.columns * width);
        fill(&mut own.feature_biases, side.features.columns);
    }
    fill(&mut factors.context_vectors, encoded.context.columns * width);
    fill(&mut factors.context_biases, encoded.context.columns);
}

/// How much strength counts unless an option says.
pub(crate) const ALPHA: f64 = 1.0;

/// The units as pairs.
struct Pairs<'a> {
    prepared: &'a Prepared,
    units: &'a Units,
    encoded: &'a Encoded,
    options: &'a ValidOptions,
}

impl Pairs<'_> {
    /// The user's and the item's code in the input.
    fn keys(&self, unit: u32) -> (u32, u32) {
        let row = self.units.starts[unit as usize] as usize;
        let code = |keys: &Option<Keys>| keys.as_ref().map_or(0, |keys| keys.codes[row]);
        (code(&self.prepared.user), code(&self.prepared.item))
    }

    /// For every user and item code of the input, the model's.
    fn codes(&self) -> (Vec<u32>, Vec<u32>) {
        let codes =
            |keys: &Option<Keys>, role| keys.as_ref().map_or_else(Vec::new, |keys| self.encoded.codes(keys, role));
        (codes(&self.prepared.user, Role::User), codes(&self.prepared.item, Role::Item))
    }

    /// The weight of an implicit pair, or the target of a row.
    fn value(&self, unit: u32) -> f64 {
        let rows = self.units.rows(unit as usize);
        match &self.prepared.target {
            Some(target) => target.values[rows.start],
            None if self.options.strength.is_none() => 1.0,
            None => {
                let alpha = self.options.hyperparameter("alpha").unwrap_or(ALPHA);
                1.0 + alpha * self.prepared.weight[rows].iter().sum::<f64>().ln_1p()
            }
        }
    }

    /// All pairs of known items, held-out ones included: of the model's users, and of users it does not know. `chosen`
    /// are the units trained on.
    fn seen(&self, chosen: &[u32]) -> Seen {
        let (users, items) = (self.encoded.users.entities, self.encoded.items.entities);
        let (Some(keys), true) = (&self.prepared.user, items > 0) else {
            return Seen { pairs: Csr::empty(users, items), trained: Vec::new(), held_out_users: None };
        };
        let (user_codes, item_codes) = self.codes();
        let mut unknown: Vec<u32> =
            keys.codes.iter().copied().filter(|&code| user_codes[code as usize] == UNSEEN).collect();
        unknown.dedup();
        let mut known = Builder::new(users, items);
        let mut held_out = Builder::new(unknown.len(), items);
        let mut trained = Vec::new();
        for unit in 0..self.units.len() as u32 {
            let (user, item) = self.keys(unit);
            let (code, item) = (user_codes[user as usize], item_codes[item as usize]);
            if item == UNSEEN {
                continue;
            }
            if code == UNSEEN {
                if let Ok(position) = unknown.binary_search(&user) {
                    held_out.add(position as u32, item, self.value(unit));
                }
                continue;
            }
            known.add(code, item, self.value(unit));
            trained.resize(known.matrix.indices.len(), false);
            if let Some(last) = trained.last_mut() {
                *last |= chosen.binary_search(&unit).is_ok();
            }
        }
        let held_out_users = (!unknown.is_empty())
            .then(|| HeldOutUsers { dictionary: Arc::new(keys.dictionary.subset(&unknown)), seen: held_out.finish() });
        Seen { pairs: known.finish(), trained, held_out_users }
    }
}

/// The pairs of the whole input.
struct Seen {
    pairs: Csr,
    trained: Vec<bool>,
    held_out_users: Option<HeldOutUsers>,
}

/// A sparse matrix from entries in order of row and column; entries of one place become their mean.
struct Builder {
    matrix: Csr,
    rows: usize,
    row: usize,
    sum: f64,
    count: f64,
}

impl Builder {
    fn new(rows: usize, columns: usize) -> Self {
        let matrix = Csr { offsets: vec![0], columns, ..Csr::default() };
        Self { matrix, rows, row: 0, sum: 0.0, count: 0.0 }
    }

    fn add(&mut self, row: u32, column: u32, value: f64) {
        self.open(row as usize);
        let started = self.matrix.offsets.last().copied().unwrap_or(0);
        if self.matrix.indices.len() > started && self.matrix.indices.last() == Some(&column) {
            self.sum += value;
            self.count += 1.0;
            if let Some(last) = self.matrix.values.last_mut() {
                *last = (self.sum / self.count) as f32;
            }
        } else {
            (self.sum, self.count) = (value, 1.0);
            self.matrix.indices.push(column);
            self.matrix.values.push(value as f32);
        }
    }

    fn open(&mut self, row: usize) {
        while self.row < row {
            self.matrix.offsets.push(self.matrix.indices.len());
            self.row += 1;
        }
    }

    fn finish(mut self) -> Csr {
        self.open(self.rows);
        self.matrix
    }
}

fn with_range(kind: &TargetKind, values: impl Iterator<Item = f64> + Clone) -> TargetKind {
    match kind {
        TargetKind::Number { .. } => TargetKind::Number {
            minimum: values.clone().fold(f64::INFINITY, f64::min),
            maximum: values.fold(f64::NEG_INFINITY, f64::max),
        },
        kind => kind.clone(),
    }
}

/// The weighted mean of the target: the base rate of a classifier.
fn base(prepared: &Prepared, rows: &[u32]) -> f64 {
    let Some(target) = &prepared.target else { return 0.0 };
    let weight: f64 = rows.iter().map(|&row| prepared.weight[row as usize]).sum();
    rows.iter().map(|&row| target.values[row as usize] * (prepared.weight[row as usize] / weight)).sum()
}

/// The item code of every row trained on, in the model's dictionary; empty without an item.
fn model_items(encoded: &Encoded, prepared: &Prepared, rows: &[u32]) -> (Vec<u32>, usize) {
    let Some(keys) = &prepared.item else { return (Vec::new(), 0) };
    let codes = encoded.codes(keys, Role::Item);
    let count = codes.iter().filter(|&&code| code != UNSEEN).count();
    (rows.iter().map(|&row| codes[keys.codes[row as usize] as usize]).collect(), count)
}

/// The weighted mean target of every item, for the baseline of squared error.
fn item_means(encoded: &Encoded, prepared: &Prepared, rows: &[u32]) -> Vec<f64> {
    let Some(target) = prepared.target.as_ref().filter(|_| prepared.objective == Objective::Squared) else {
        return Vec::new();
    };
    let (items, count) = model_items(encoded, prepared, rows);
    let (mut sums, mut weights) = (vec![0.0; count], vec![0.0; count]);
    for (&item, &row) in items.iter().zip(rows) {
        let weight = prepared.weight[row as usize];
        weights[item as usize] += weight;
        sums[item as usize] += weight * target.values[row as usize];
    }
    sums.iter().zip(&weights).map(|(sum, weight)| if *weight > 0.0 { sum / weight } else { 0.0 }).collect()
}

/// How many units of training each item has; empty without sides.
fn item_rows(encoded: &Encoded, prepared: &Prepared, chosen: &[u32], units: &Units) -> Vec<u32> {
    let firsts: Vec<u32> = chosen.iter().map(|&unit| units.starts[unit as usize]).collect();
    let (items, _) = model_items(encoded, prepared, &firsts);
    let mut counts = vec![0u32; encoded.items.entities];
    for item in items {
        if let Some(count) = counts.get_mut(item as usize) {
            *count += 1;
        }
    }
    counts
}
