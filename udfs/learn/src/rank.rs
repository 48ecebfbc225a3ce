//! Recommendation: the best items for each user, exactly, by blocks of users.

use std::collections::BTreeMap;

use crate::{
    control::Control,
    error::{Error, Result},
    model::{Model, Role},
    options::{Objective, invalid},
    parallel,
    predict::{ContextBatch, Scratch, SideBatch},
    refold::{Refold, settings},
    score::{ContextPart, Query},
    table::{Table, UNSEEN, Values},
};

/// The users of one unit of work: their scores are computed together, tile by tile of items.
const USERS_UNIT: usize = 16;
/// The items of a tile: so few that their vectors stay in the nearest cache while all users of a unit are scored.
const ITEMS_TILE: usize = 128;
/// Up to so many best items are kept in order by insertion; more are sorted.
const MOST_INSERTED: usize = 256;

/// What to recommend, beside the users.
#[derive(Debug, Clone, Default)]
pub struct Request<'a> {
    /// How many items a user.
    pub k: usize,
    /// Whether items that the user has seen in the training input (held-out rows included) or in `history` may come.
    pub include_seen: bool,
    /// Items to leave out, a list a user row, in the codes of the answer; empty for none at all.
    pub exclude: &'a [Vec<u32>],
    /// The only items to choose from; all training items if absent.
    pub candidates: Option<Candidates<'a>>,
    /// Events after training, a list a user row; empty for none at all.
    pub history: &'a [Vec<Event>],
    /// At most so many items of one value of this category column of the item's side.
    pub max_per: Option<(&'a str, usize)>,
    /// The number of threads; the answer does not depend on it.
    pub threads: usize,
}

/// A user's event that training did not see.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// The item's code in the model's dictionary; [`UNSEEN`] is left out.
    pub item: u32,
    /// The target (squared), or the strength, not above zero being left out (implicit; `None` weighs 1).
    pub value: Option<f64>,
}

/// Items to choose from, new ones included.
#[derive(Debug, Clone, Copy)]
pub struct Candidates<'a> {
    /// The item's column and any columns of the item's side, by name. The item column's dictionary must hold every
    /// candidate, new ones too; the codes of the answer are then codes of this dictionary. Rows without an item, or
    /// [`UNSEEN`] ones, are left out; of rows with the same item the one with the greatest boost counts, then the
    /// first.
    pub items: &'a Table,
    /// A number a row that is added to the item's score.
    pub boost: Option<&'a [f64]>,
}

/// An item of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recommendation {
    /// The code of the item, in the dictionary of the candidates' item column if there are candidates, else in the
    /// model's.
    pub item: u32,
    /// The score on the link scale, boost included: without boost and history the number that [`Model::predict`] gives
    /// the pair.
    pub score: f64,
}

impl Model {
    /// The best items of each row of `users`, best first; equal scores by ascending code. Fewer than `k` where there
    /// are no more.
    ///
    /// `users` holds the user's column (with a dictionary of its own, so that users whose every row was held out are
    /// recognised and not shown what they have seen), any columns of the user's side (which override the kept values),
    /// and every context column. A user that is NULL or not known scores with the side columns given. With nothing at
    /// all, items come by what the model knows without a user, bias and context; an implicit model has neither, and
    /// takes the items with the most training pairs first, the score being the item's share of them.
    ///
    /// `history` solves the user's row anew from the pairs of the training input and the events.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] and [`Error::InvalidData`] naming the argument and the column.
    pub fn recommend(
        &self,
        users: &Table,
        request: &Request<'_>,
        control: &dyn Control,
    ) -> Result<Vec<Vec<Recommendation>>> {
        self.check_request(users, request)?;
        let pool = match &request.candidates {
            None => Pool::of_model(self),
            Some(candidates) => Pool::of_candidates(self, candidates)?,
        };
        let groups = request.max_per.map(|(column, most)| Ok((self.groups(column, request)?, most))).transpose()?;
        let settings = settings(self, request.threads);
        let asking = Asking {
            model: self,
            side: SideBatch::bind_loosely(self, users, Role::User)?,
            context: ContextBatch::bind(self, users)?,
            held_out: self.held_out_rows(users),
            refold: if request.history.is_empty() { None } else { Some(Refold::new(self, &settings, control)?) },
            request,
            pool: &pool,
            groups: groups.as_ref().map(|(groups, most)| (groups.as_slice(), *most)),
        };
        let answers = parallel::run_ranges(
            request.threads,
            users.rows,
            USERS_UNIT,
            control,
            || Buffers::new(self, &pool),
            |buffers, range| asking.answer(range, buffers),
        )?;
        Ok(answers.into_iter().flatten().collect())
    }

    fn check_request(&self, users: &Table, request: &Request<'_>) -> Result<()> {
        if !self.has_sides() {
            let problem = "the model has no user and item to recommend with; train it with user => '…' and item => '…'";
            return Err(invalid("model", problem.into()));
        }
        if request.k == 0 {
            return Err(invalid("k", "found 0, expected how many items a user, at least 1".into()));
        }
        for (name, length) in [("exclude", request.exclude.len()), ("history", request.history.len())] {
            if length != 0 && length != users.rows {
                return Err(Error::Internal(format!("{name} has {length} lists for {} users", users.rows)));
            }
        }
        if let Some((column, most)) = request.max_per {
            if most == 0 {
                return Err(invalid("max_per", format!("found {column}:0, expected at least 1 item a value")));
            }
            let items = SideBatch::all(self, Role::Item);
            if !items.has_category(column) {
                let named = |column: &&crate::model::Column| items.has_category(&column.name);
                let names: Vec<_> = self.columns().iter().filter(named).map(|column| column.name.as_str()).collect();
                let known =
                    if names.is_empty() { "it has none".into() } else { format!("it has {}", names.join(", ")) };
                let problem = format!("the model has no category column {column} of the item's side; {known}");
                return Err(invalid("max_per", problem));
            }
        }
        Ok(())
    }

    /// The value of a category column for every item of the pool, in its order.
    fn groups(&self, column: &str, request: &Request<'_>) -> Result<Vec<u32>> {
        let Some(candidates) = &request.candidates else {
            let items = SideBatch::all(self, Role::Item);
            return Ok((0..items.codes.len()).map(|item| items.category(column, item)).collect());
        };
        let items = SideBatch::bind(self, candidates.items, Role::Item)?;
        Ok(chosen_rows(self, candidates)?.into_iter().map(|(_, row)| items.category(column, row)).collect())
    }

    /// For each row, its place among the users whose every row was held out.
    fn held_out_rows(&self, users: &Table) -> Vec<Option<usize>> {
        let none = || vec![None; users.rows];
        let (Some(held_out), Some(key)) = (self.held_out_users(), self.key(Role::User)) else { return none() };
        let Some(Values::Category { codes, dictionary }) = users.column(&key.name) else { return none() };
        let Some(places) = dictionary.codes_in(&held_out.dictionary) else { return none() };
        let place =
            |code: u32| places.get(code as usize).filter(|&&place| place != UNSEEN).map(|&place| place as usize);
        codes.iter().map(|&code| place(code)).collect()
    }
}

/// The items to choose from, by ascending code of the answer.
pub(crate) struct Pool {
    /// The code that the answer gives; empty if it is the position.
    codes: Vec<u32>,
    /// The model's code of each item, or [`UNSEEN`]; empty if it is the position.
    known: Vec<u32>,
    biases: Vec<f32>,
    vectors: Vec<f32>,
    /// What is added to each score; empty for nothing.
    boosts: Vec<f64>,
    /// Each item's share of the training rows.
    pub(crate) popularity: Vec<f64>,
}

impl Pool {
    /// All items of the model.
    pub(crate) fn of_model(model: &Model) -> Self {
        Self {
            codes: Vec::new(),
            known: Vec::new(),
            biases: model.items.biases.clone(),
            vectors: model.items.vectors.clone(),
            boosts: Vec::new(),
            popularity: shares(model),
        }
    }

    fn of_candidates(model: &Model, candidates: &Candidates<'_>) -> Result<Self> {
        let items = SideBatch::bind(model, candidates.items, Role::Item)?;
        let shares = shares(model);
        let mut pool = Self {
            codes: Vec::new(),
            known: Vec::new(),
            biases: Vec::new(),
            vectors: Vec::new(),
            boosts: Vec::new(),
            popularity: Vec::new(),
        };
        let mut scratch = Scratch::new(model.factors());
        for (code, row) in chosen_rows(model, candidates)? {
            let (bias, vector) = items.whole(row, &mut scratch);
            pool.codes.push(code);
            pool.known.push(items.code(row));
            pool.biases.push(bias);
            pool.vectors.extend_from_slice(vector);
            pool.boosts.extend(candidates.boost.map(|boost| boost[row]));
            pool.popularity.push(shares.get(items.code(row) as usize).copied().unwrap_or(0.0));
        }
        Ok(pool)
    }

    /// The number of items.
    pub(crate) fn len(&self) -> usize {
        self.biases.len()
    }

    fn code(&self, position: usize) -> u32 {
        self.codes.get(position).copied().unwrap_or(position as u32)
    }

    /// Where an item of the answer's code is.
    fn position(&self, code: u32) -> Option<usize> {
        if self.codes.is_empty() {
            return Some(code as usize).filter(|&position| position < self.len());
        }
        self.codes.binary_search(&code).ok()
    }

    /// Where the items of the model's codes are; [`UNSEEN`] if they are not.
    fn places(&self, items: usize) -> Vec<u32> {
        if self.known.is_empty() {
            // Nobody chooses from the candidates if there are none, so that the answer does not matter then.
            return (0..items as u32).collect();
        }
        let mut places = vec![UNSEEN; items];
        for (position, &item) in self.known.iter().enumerate() {
            if let Some(place) = places.get_mut(item as usize) {
                *place = position as u32;
            }
        }
        places
    }
}

/// Each item's share of the rows (pairs) of training.
fn shares(model: &Model) -> Vec<f64> {
    model.parts.item_rows.iter().map(|&rows| f64::from(rows) / model.parts.rows.max(1) as f64).collect()
}

/// The rows that are chosen from, one an item, by ascending code.
fn chosen_rows(model: &Model, candidates: &Candidates<'_>) -> Result<Vec<(u32, usize)>> {
    let name = model.key(Role::Item).map_or("", |key| key.name.as_str());
    let Some(Values::Category { codes, dictionary }) = candidates.items.column(name) else {
        return Err(invalid("candidates", format!("the candidates have no category column {name}; select the item")));
    };
    match candidates.boost {
        Some(boost) if boost.len() != candidates.items.rows => {
            return Err(Error::Internal(format!("{} boosts for {} candidates", boost.len(), candidates.items.rows)));
        }
        Some(boost) if !boost.iter().all(|boost| boost.is_finite()) => {
            return Err(Error::InvalidData(
                "a boost of the candidates is NULL or not finite; give every row a number".into(),
            ));
        }
        _ => {}
    }
    let boost = |row: usize| candidates.boost.map_or(0.0, |boost| boost[row]);
    let known = |&row: &usize| (codes[row] as usize) < dictionary.len();
    let mut rows: Vec<(u32, usize)> = (0..codes.len()).filter(known).map(|row| (codes[row], row)).collect();
    rows.sort_by(|left, right| left.0.cmp(&right.0).then(boost(right.1).total_cmp(&boost(left.1))));
    rows.dedup_by_key(|(code, _)| *code);
    Ok(rows)
}

/// Fills each query's scores of all items of a pool, the boost left out. A query of an implicit model that says nothing
/// gets popularity.
pub(crate) fn fill_scores(model: &Model, pool: &Pool, queries: &[Query], scores: &mut [Vec<f64>]) {
    let factors = model.factors();
    for scores in scores.iter_mut() {
        scores.clear();
        scores.reserve(pool.len());
    }
    for start in (0..pool.len()).step_by(ITEMS_TILE) {
        let end = (start + ITEMS_TILE).min(pool.len());
        for (query, scores) in queries.iter().zip(scores.iter_mut()) {
            let item = |at: usize| query.score(pool.biases[at], &pool.vectors[at * factors..(at + 1) * factors]);
            scores.extend((start..end).map(item));
        }
    }
    if model.objective() == Objective::Implicit {
        for (query, scores) in queries.iter().zip(scores) {
            if query.vector.iter().all(|entry| *entry == 0.0) {
                scores.clone_from(&pool.popularity);
            }
        }
    }
}

/// What a thread reuses between units.
struct Buffers {
    queries: Vec<Query>,
    scores: Vec<Vec<f64>>,
    masked: Vec<bool>,
    places: Vec<u32>,
    scratch: Scratch,
    part: ContextPart,
}

impl Buffers {
    fn new(model: &Model, pool: &Pool) -> Self {
        Self {
            queries: vec![Query::default(); USERS_UNIT],
            scores: vec![Vec::new(); USERS_UNIT],
            masked: vec![false; pool.len()],
            places: pool.places(model.parts.items.entities),
            scratch: Scratch::new(model.factors()),
            part: ContextPart::default(),
        }
    }
}

/// A request about to be answered.
struct Asking<'a> {
    model: &'a Model,
    side: SideBatch<'a>,
    context: ContextBatch<'a>,
    held_out: Vec<Option<usize>>,
    refold: Option<Refold<'a>>,
    request: &'a Request<'a>,
    pool: &'a Pool,
    groups: Option<(&'a [u32], usize)>,
}

impl Asking<'_> {
    fn answer(&self, rows: std::ops::Range<usize>, buffers: &mut Buffers) -> Result<Vec<Vec<Recommendation>>> {
        let Buffers { queries, scores, masked, places, scratch, part } = buffers;
        let queries = &mut queries[..rows.len()];
        for (query, row) in queries.iter_mut().zip(rows.clone()) {
            let context = if self.context.is_empty() {
                None
            } else {
                self.context.gather(row, part);
                Some(&*part)
            };
            let mean = self.model.parts.factors.mean;
            match &self.refold {
                Some(refold) if !self.request.history[row].is_empty() => {
                    let (bias, vector) = refold.solve(&self.side, row, &self.request.history[row], scratch)?;
                    query.gather(mean, bias, &vector, context);
                }
                _ => {
                    let (bias, vector) = self.side.whole(row, scratch);
                    query.gather(mean, bias, vector, context);
                }
            }
        }
        fill_scores(self.model, self.pool, queries, scores);
        Ok(rows
            .zip(scores.iter_mut())
            .map(|(row, scores)| {
                scores.iter_mut().zip(&self.pool.boosts).for_each(|(score, boost)| *score += boost);
                let left_out = self.left_out(row, places);
                left_out.iter().for_each(|&position| masked[position] = true);
                let best = match self.groups {
                    None => Top::best(scores, masked, self.request.k),
                    Some((groups, most)) => Top::best_per_group(scores, masked, self.request.k, groups, most),
                };
                left_out.iter().for_each(|&position| masked[position] = false);
                let recommendation = |position: u32| Recommendation {
                    item: self.pool.code(position as usize),
                    score: scores[position as usize],
                };
                best.into_iter().map(recommendation).collect()
            })
            .collect())
    }

    /// The positions of the items that a user is not shown.
    fn left_out(&self, row: usize, places: &[u32]) -> Vec<usize> {
        let mut left_out = Vec::new();
        if let Some(excluded) = self.request.exclude.get(row) {
            left_out.extend(excluded.iter().filter_map(|&code| self.pool.position(code)));
        }
        if self.request.include_seen {
            return left_out;
        }
        let mut leave = |items: &[u32]| {
            let places = items.iter().filter_map(|&item| places.get(item as usize));
            left_out.extend(places.filter(|&&place| (place as usize) < self.pool.len()).map(|&place| place as usize));
        };
        let code = self.side.code(row);
        if code != UNSEEN {
            leave(self.model.parts.seen.row(code as usize).0);
        } else if let (Some(place), Some(held_out)) = (self.held_out[row], self.model.held_out_users()) {
            leave(held_out.seen.row(place).0);
        }
        if let Some(history) = self.request.history.get(row) {
            history.iter().for_each(|event| leave(&[event.item]));
        }
        left_out
    }
}

/// Choosing the best of many scores; equal ones by ascending position.
pub(crate) struct Top;

impl Top {
    /// The positions of the `k` best scores that are not masked, best first.
    pub(crate) fn best(scores: &[f64], masked: &[bool], k: usize) -> Vec<u32> {
        if k > MOST_INSERTED {
            let mut sorted = Self::sorted(scores, masked);
            sorted.truncate(k);
            return sorted;
        }
        let mut best: Vec<(f64, u32)> = Vec::with_capacity(k.min(scores.len()) + 1);
        for (position, (&score, &masked)) in scores.iter().zip(masked).enumerate() {
            let full = best.len() == k;
            if masked || (full && best.last().is_none_or(|last| score <= last.0)) {
                continue;
            }
            if full {
                best.pop();
            }
            // Positions ascend, so among equals the new one comes last.
            let at = best.partition_point(|other| other.0 >= score);
            best.insert(at, (score, position as u32));
        }
        best.into_iter().map(|(_, position)| position).collect()
    }

    /// As [`Top::best`], with at most `most` positions of one group.
    fn best_per_group(scores: &[f64], masked: &[bool], k: usize, groups: &[u32], most: usize) -> Vec<u32> {
        let mut taken: BTreeMap<u32, usize> = BTreeMap::new();
        let mut best = Self::sorted(scores, masked);
        best.retain(|&position| {
            let count = taken.entry(groups[position as usize]).or_insert(0);
            *count += 1;
            *count <= most
        });
        best.truncate(k);
        best
    }

    fn sorted(scores: &[f64], masked: &[bool]) -> Vec<u32> {
        let mut open: Vec<u32> = (0..scores.len() as u32).filter(|&position| !masked[position as usize]).collect();
        open.sort_by(|&left, &right| scores[right as usize].total_cmp(&scores[left as usize]).then(left.cmp(&right)));
        open
    }
}
