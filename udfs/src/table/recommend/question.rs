//! What is the same for all users of one `recommend`: the model, the candidates, and each user's exclusions and events.
//!
//! Read once, before the first user. Keys are compared in the trained type, to which the plan casts every input.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    compute::concat_batches,
    datatypes::{Float64Type, Schema},
};
use datafusion::{
    error::Result,
    execution::{
        TaskContext,
        memory_pool::{MemoryConsumer, MemoryReservation},
    },
    physical_plan::ExecutionPlan,
};
use fusewire_learn::{Candidates, Control, Dictionary, Event, Recommendation, Request, Table, Values};
use futures::TryStreamExt;

use super::{BOOST, Extra, Key, Ranking, keys::Keys};
use crate::{
    context::FunctionContext,
    error::Error,
    frame::{self, BoundColumn, CategoryType, ColumnKind, Scorer},
    registry::Loaded,
};

/// How many pairs are scored for one batch of answers, so that the first comes soon.
const SCORES_AT_ONCE: usize = 40_000_000;

/// Everything that answering needs beside the users.
#[derive(Debug)]
pub(super) struct Question {
    ranking: Ranking,
    loaded: Arc<Loaded>,
    functions: Arc<FunctionContext>,
    /// The keys of all items that may be answered; their position is the code.
    items: ArrayRef,
    candidates: Option<CandidateRows>,
    users: Keys,
    /// By number of the user; shorter than `users` where only later users have some.
    excluded: Vec<Vec<u32>>,
    excluded_for_all: Vec<u32>,
    history: Vec<Vec<Event>>,
    /// What all of this takes, given back when the answers are done.
    reservation: MemoryReservation,
}

/// What is known of some users, a list a user, in their order.
pub(super) struct About {
    exclude: Vec<Vec<u32>>,
    history: Vec<Vec<Event>>,
}

#[derive(Debug)]
struct CandidateRows {
    items: Table,
    boost: Option<Vec<f64>>,
}

impl Question {
    /// Loads the model and reads the relations beside the users.
    pub(super) async fn read(
        ranking: Ranking,
        extras: Vec<(Extra, Arc<dyn ExecutionPlan>)>,
        context: &Arc<TaskContext>,
    ) -> Result<Self> {
        let functions = FunctionContext::of(context)?;
        let loaded = functions.registry.load(ranking.model()).await?;
        let reservation = MemoryConsumer::new("recommend").register(context.memory_pool());
        let item = ranking.item();
        let column = loaded.model.column(&item.name).and_then(|column| column.dictionary());
        let dictionary = column.ok_or_else(|| Error::Internal(format!("the model has no item {}", item.name)))?;
        let mut question = Self {
            items: item_keys(dictionary, item)?,
            candidates: None,
            users: Keys::new(&ranking.user().data_type)?,
            excluded: Vec::new(),
            excluded_for_all: Vec::new(),
            history: Vec::new(),
            functions,
            ranking,
            loaded,
            reservation,
        };
        let mut relations = BTreeMap::new();
        for (extra, plan) in extras {
            relations.insert(extra, question.collect(plan, context).await?);
        }
        // Events are in the model's codes, exclusions in the codes of the answer: hence this order.
        if let Some(rows) = relations.get(&Extra::History) {
            question.read_history(rows)?;
        }
        if let Some(rows) = relations.get(&Extra::Candidates) {
            question.read_candidates(rows)?;
        }
        if let Some(rows) = relations.get(&Extra::Exclude) {
            question.read_exclusions(rows)?;
        }
        Ok(question)
    }

    /// All rows of a relation, accounted for.
    async fn collect(&self, plan: Arc<dyn ExecutionPlan>, context: &Arc<TaskContext>) -> Result<RecordBatch> {
        let mut stream = plan.execute(0, context.clone())?;
        let mut batches = Vec::new();
        while let Some(batch) = stream.try_next().await? {
            self.reservation.try_grow(batch.get_array_memory_size())?;
            batches.push(batch);
        }
        Ok(concat_batches(&stream.schema(), &batches)?)
    }

    /// The codes of items, for those that have one.
    fn item_codes(&self, items: &ArrayRef) -> Result<Vec<Option<u32>>> {
        let mut keys = Keys::new(&self.ranking.item().data_type)?;
        keys.insert(&self.items)?;
        let codes = keys.find(items)?;
        Ok(codes.into_iter().enumerate().map(|(row, code)| code.filter(|_| items.is_valid(row))).collect())
    }

    /// What a user did after training; events of items that the model does not know say nothing.
    fn read_history(&mut self, rows: &RecordBatch) -> Result<()> {
        let items = self.item_codes(column(rows, &self.ranking.item().name)?)?;
        let users = self.users.insert(column(rows, &self.ranking.user().name)?)?;
        let weights = match self.ranking.history_weight() {
            Some(name) => Some(column(rows, name)?.as_primitive::<Float64Type>()),
            None => None,
        };
        for (row, ((user, _), item)) in users.into_iter().zip(items).enumerate() {
            let value = weights.map(|weights| weights.is_valid(row).then(|| weights.value(row)));
            // As in training, an event counts for nothing if what it counts for is not known.
            if let (Some(item), false) = (item, value == Some(None)) {
                at(&mut self.history, user).push(Event { item, value: value.flatten() });
            }
        }
        self.reservation.try_grow(self.users.size_bytes() + rows.num_rows() * size_of::<Event>())
    }

    /// Only these items may be answered.
    fn read_candidates(&mut self, rows: &RecordBatch) -> Result<()> {
        let boost = rows.column_by_name(BOOST).filter(|_| self.ranking.is_boosted());
        let boost = boost.map(|boost| boost.as_primitive::<Float64Type>());
        let boost = boost.map(|boost| boost.iter().map(|boost| boost.unwrap_or(f64::NAN)).collect());
        let items = self.candidate_table(rows)?;
        self.candidates = Some(CandidateRows { items, boost });
        Ok(())
    }

    /// The candidates as the model reads them. The items get a dictionary of their own, because some may be new.
    fn candidate_table(&mut self, rows: &RecordBatch) -> Result<Table> {
        let item = self.ranking.item();
        let Some(ColumnKind::Category(of)) = ColumnKind::category(&item.data_type) else {
            return Err(Error::Internal(format!("the item {} is no category", item.name)).into());
        };
        let codes = frame::category(&item.name, std::slice::from_ref(column(rows, &item.name)?), of)?;
        let Values::Category { dictionary, .. } = &codes else {
            return Err(Error::Internal(format!("the item {} has become a {}", item.name, codes.kind())).into());
        };
        self.items = item_keys(dictionary, item)?;
        let mut own = vec![item.name.as_str()];
        own.extend(self.ranking.is_boosted().then_some(BOOST));
        let sides = self.scorer_of(rows.schema_ref(), &own)?.table(rows)?;
        let columns = [(item.name.clone(), codes)].into_iter().chain(sides.columns).collect();
        Ok(Table { rows: rows.num_rows(), columns })
    }

    /// Items not to answer: to their user if the relation names users, else to anybody.
    fn read_exclusions(&mut self, rows: &RecordBatch) -> Result<()> {
        let items = self.item_codes(column(rows, &self.ranking.item().name)?)?;
        let Some(users) = rows.column_by_name(&self.ranking.user().name) else {
            self.excluded_for_all = items.into_iter().flatten().collect();
            self.excluded_for_all.sort_unstable();
            self.excluded_for_all.dedup();
            return Ok(());
        };
        for ((user, _), item) in self.users.insert(users)?.into_iter().zip(items) {
            if let Some(item) = item {
                at(&mut self.excluded, user).push(item);
            }
        }
        self.reservation.try_grow(self.users.size_bytes() + rows.num_rows() * size_of::<u32>())
    }

    /// What is asked.
    pub(super) fn ranking(&self) -> &Ranking {
        &self.ranking
    }

    /// What reads the users' columns for the model.
    pub(super) fn user_scorer(&self, users: &Schema) -> Result<Scorer> {
        let user = [self.ranking.user().name.as_str()];
        self.scorer_of(users, if self.own_user_type().is_some() { &user } else { &[] })
    }

    /// How users get a dictionary of their own: needed to recognise those of the training input that the model does not
    /// know, because all their rows were held out, and not to show them what they have seen.
    fn own_user_type(&self) -> Option<CategoryType> {
        self.loaded.model.held_out_users()?;
        match ColumnKind::category(&self.ranking.user().data_type)? {
            ColumnKind::Category(of) => Some(of),
            _ => None,
        }
    }

    /// The users as the model reads them.
    pub(super) fn user_table(&self, scorer: &Scorer, users: &RecordBatch) -> Result<Table, Error> {
        let mut table = scorer.table(users)?;
        if let Some(of) = self.own_user_type() {
            let name = &self.ranking.user().name;
            let keys = frame::category(name, std::slice::from_ref(column(users, name)?), of)?;
            table.columns.push((name.clone(), keys));
        }
        Ok(table)
    }

    /// A scorer of every column, under its own name, but the left-out ones.
    fn scorer_of(&self, schema: &Schema, left_out: &[&str]) -> Result<Scorer> {
        let names = schema.fields().iter().map(|field| field.name());
        let names = names.filter(|name| !left_out.contains(&name.as_str()));
        let bound: Vec<_> = names.map(|name| BoundColumn { column: name.clone(), input: name.clone() }).collect();
        Ok(Scorer::new(self.loaded.clone(), schema, &bound)?)
    }

    /// How many users are answered at once: fewer, the more items there are.
    pub(super) fn users_at_once(&self) -> usize {
        (SCORES_AT_ONCE / self.items.len().max(1)).clamp(64, 8192)
    }

    /// The session.
    pub(super) fn functions(&self) -> &Arc<FunctionContext> {
        &self.functions
    }

    /// The keys of the items by code.
    pub(super) fn items(&self) -> &ArrayRef {
        &self.items
    }

    /// What is known of these users.
    pub(super) fn about(&self, keys: &ArrayRef) -> Result<About> {
        let numbers = self.users.find(keys)?;
        let exclude = if self.excluded_for_all.is_empty() {
            of_users(&self.excluded, &numbers)
        } else {
            vec![self.excluded_for_all.clone(); numbers.len()]
        };
        Ok(About { exclude, history: of_users(&self.history, &numbers) })
    }

    /// The answers to users.
    pub(super) fn answer(
        &self,
        users: &Table,
        about: &About,
        control: &dyn Control,
    ) -> Result<Vec<Vec<Recommendation>>, Error> {
        let candidates = self.candidates.as_ref();
        let request = Request {
            k: self.ranking.k(),
            include_seen: self.ranking.include_seen(),
            exclude: &about.exclude,
            candidates: candidates.map(|rows| Candidates { items: &rows.items, boost: rows.boost.as_deref() }),
            history: &about.history,
            max_per: self.ranking.max_per(),
            threads: self.functions.threads,
        };
        Ok(self.loaded.model.recommend(users, &request, control)?)
    }
}

/// The keys of a dictionary in the item's trained type, by code.
fn item_keys(dictionary: &Dictionary, item: &Key) -> Result<ArrayRef> {
    Ok(frame::keys(dictionary, 0..dictionary.len() as u32, &item.data_type)?)
}

/// A column that the plan has put there.
pub(super) fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, Error> {
    let missing = || Error::Internal(format!("recommend: an input has lost its column {name}"));
    rows.column_by_name(name).ok_or_else(missing)
}

/// The entry of a user, grown to.
fn at<T: Default>(lists: &mut Vec<T>, user: u32) -> &mut T {
    let user = user as usize;
    if lists.len() <= user {
        lists.resize_with(user + 1, T::default);
    }
    &mut lists[user]
}

/// The lists of these users, empty for those without; none at all if nobody has one.
fn of_users<T: Clone>(lists: &[Vec<T>], numbers: &[Option<u32>]) -> Vec<Vec<T>> {
    if lists.is_empty() {
        return Vec::new();
    }
    let of_user = |number: &Option<u32>| number.and_then(|user| lists.get(user as usize)).cloned().unwrap_or_default();
    numbers.iter().map(of_user).collect()
}
