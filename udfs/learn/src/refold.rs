//! A user's row solved anew from the pairs of the training input and later events, everything else held.

use crate::{
    control::Control,
    error::{Error, Result},
    model::{FoldIn, Model, Role},
    options::invalid,
    predict::{Scratch, SideBatch},
    rank::Event,
    solve::{als, implicit},
    table::UNSEEN,
};

/// The settings of the implicit solver that the model was trained with; of no use to other models.
pub(crate) fn settings(model: &Model, threads: usize) -> implicit::ImplicitOptions {
    let settings = implicit::ImplicitOptions { factors: model.factors(), threads, ..Default::default() };
    match model.parts.fold_in {
        FoldIn::Implicit { regularization, frequency_exponent, unobserved_weight, .. } => {
            implicit::ImplicitOptions { regularization, frequency_exponent, unobserved_weight, ..settings }
        }
        _ => settings,
    }
}

/// What the users of one request share.
pub(crate) struct Refold<'a> {
    model: &'a Model,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Squared(als::Prior),
    Implicit { alpha: f64, solver: implicit::FoldIn<'a> },
}

impl<'a> Refold<'a> {
    pub(crate) fn new(
        model: &'a Model,
        settings: &'a implicit::ImplicitOptions,
        control: &dyn Control,
    ) -> Result<Self> {
        if let Some(column) = model.columns().iter().find(|column| column.role == Role::Context) {
            let problem = format!(
                "the model has the context column {}, and past events without their context cannot be folded in; \
                 train without it",
                column.name
            );
            return Err(invalid("history", problem));
        }
        let kind = match &model.parts.fold_in {
            FoldIn::None => {
                let problem =
                    format!("{} models cannot fold in events; train it again with them", model.objective().name());
                return Err(invalid("history", problem));
            }
            FoldIn::Squared { bias, vector } => Kind::Squared(als::Prior { bias: *bias, vector: vector.clone() }),
            FoldIn::Implicit { alpha, .. } => {
                let solver = implicit::FoldIn::new(&model.items.vectors, settings, control)?;
                Kind::Implicit { alpha: *alpha, solver }
            }
        };
        Ok(Self { model, kind })
    }

    /// The bias and the whole vector of the user of a row. An event with an item of the training input replaces its
    /// target; strengths add up.
    pub(crate) fn solve(
        &self,
        side: &SideBatch<'_>,
        row: usize,
        events: &[Event],
        scratch: &mut Scratch,
    ) -> Result<(f32, Vec<f32>)> {
        let prior = side.prior(row, scratch);
        let code = side.code(row);
        let kept = if code == UNSEEN { (&[][..], &[][..]) } else { self.model.parts.seen.row(code as usize) };
        match &self.kind {
            Kind::Squared(ridges) => self.solve_squared(kept, events, prior, ridges),
            Kind::Implicit { alpha, solver } => {
                let pairs = self.implicit_pairs(kept, events, *alpha)?;
                Ok((0.0, solver.solve(&pairs, prior.1)?))
            }
        }
    }

    fn implicit_pairs(&self, kept: (&[u32], &[f32]), events: &[Event], alpha: f64) -> Result<Vec<(u32, f32)>> {
        // A weight is 1 + alpha ln(1 + strength), so that strengths can be had back and added to.
        let strength = |weight: f32| if alpha > 0.0 { ((f64::from(weight) - 1.0) / alpha).exp_m1() } else { 0.0 };
        let mut pairs: Vec<(u32, f64)> =
            kept.0.iter().zip(kept.1).map(|(&item, &weight)| (item, strength(weight))).collect();
        for event in self.known(events) {
            match event.value {
                Some(value) if !value.is_finite() => return Err(not_finite(value)),
                Some(value) if value <= 0.0 => {}
                value => pairs.push((event.item, value.unwrap_or(0.0))),
            }
        }
        pairs.sort_by(|left, right| left.0.cmp(&right.0).then(left.1.total_cmp(&right.1)));
        let sum = |same: &[(u32, f64)]| same.iter().map(|(_, strength)| strength).sum::<f64>();
        Ok(pairs
            .chunk_by(|left, right| left.0 == right.0)
            .map(|same| (same[0].0, (1.0 + alpha * sum(same).ln_1p()) as f32))
            .collect())
    }

    fn solve_squared(
        &self,
        kept: (&[u32], &[f32]),
        events: &[Event],
        prior: (f32, &[f32]),
        ridges: &als::Prior,
    ) -> Result<(f32, Vec<f32>)> {
        let mut targets: Vec<(u32, f64)> = Vec::with_capacity(events.len());
        for event in self.known(events) {
            match event.value {
                Some(value) if value.is_finite() => targets.push((event.item, value)),
                Some(value) => return Err(not_finite(value)),
                None => {
                    return Err(Error::InvalidData("an event of the history has no target; filter such rows".into()));
                }
            }
        }
        let replaced = |item: &u32| targets.iter().any(|(other, _)| other == item);
        let kept: Vec<_> = kept.0.iter().zip(kept.1).filter(|(item, _)| !replaced(item)).collect();
        targets.extend(kept.into_iter().map(|(&item, &target)| (item, f64::from(target))));
        targets.sort_by(|left, right| left.0.cmp(&right.0).then(left.1.total_cmp(&right.1)));
        let factors = self.model.factors();
        let (mut residuals, mut vectors) = (Vec::with_capacity(targets.len()), Vec::new());
        for (item, target) in targets {
            let (bias, vector) = self.model.items.of(item, factors);
            residuals.push((target - self.model.parts.factors.mean - f64::from(bias)) as f32);
            vectors.extend_from_slice(vector);
        }
        als::fold_in(&residuals, &vec![1.0; residuals.len()], &vectors, prior, ridges)
    }

    fn known<'e>(&self, events: &'e [Event]) -> impl Iterator<Item = &'e Event> {
        let items = self.model.parts.items.entities;
        events.iter().filter(move |event| (event.item as usize) < items)
    }
}

fn not_finite(value: f64) -> Error {
    Error::InvalidData(format!("an event of the history has the value {value}; expected a finite number, so filter it"))
}
