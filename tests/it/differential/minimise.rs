//! Makes a case small: fewer clauses, fewer rows, plainer storage, while what came of it stays the same.

use std::collections::HashSet;

use super::{
    answer::Mode,
    case::{Bench, Verdict},
    edit::cut,
    schema::{Engine, Storage, Table},
    tree::Query,
};

/// How often both engines are asked for one case.
const MAX_QUESTIONS: usize = 300;

/// The same for what is refused, of which there is more, and which needs no smaller rows.
const MAX_QUESTIONS_OF_REFUSED: usize = 80;

pub(crate) struct Smallest {
    pub(crate) query: Query,
    pub(crate) mode: Mode,
    pub(crate) verdict: Verdict,
}

/// Whether it is the same failure still, if perhaps of other rows.
fn is_like(found: &Verdict, wanted: &Verdict) -> bool {
    match (found, wanted) {
        (Verdict::Differs(_), Verdict::Differs(_)) => true,
        (found, wanted) => found == wanted,
    }
}

/// Leaves the smallest tables on the bench.
pub(crate) async fn minimise(bench: &mut Bench, query: &Query, mode: Mode, verdict: Verdict) -> Smallest {
    let mut small = Smallest { query: query.clone(), mode, verdict };
    let mut left = if matches!(small.verdict, Verdict::Refused(_)) { MAX_QUESTIONS_OF_REFUSED } else { MAX_QUESTIONS };
    let views = bench.views.clone();
    if mode != Mode::Simple {
        let plain = bench.compare(&small.query, Mode::Simple).await;
        if is_like(&plain, &small.verdict) {
            small.mode = Mode::Simple;
        }
    }
    cut_query(bench, &mut small, &mut left).await;
    // Rows make no difference to what is refused while it is planned, and views would have to be made again.
    let sql = small.query.sql();
    if matches!(small.verdict, Verdict::Differs(_) | Verdict::Broken(_))
        && !views.iter().any(|view| sql.contains(&view.name))
    {
        cut_tables(bench, &mut small, &mut left).await;
        left = left.max(60);
        cut_query(bench, &mut small, &mut left).await;
    }
    small
}

async fn cut_query(bench: &mut Bench, small: &mut Smallest, left: &mut usize) {
    // A cut may undo another.
    let mut tried = HashSet::from([small.query.sql()]);
    loop {
        let mut number = 0;
        let mut is_smaller = false;
        while let Some(smaller) = cut(&small.query, number) {
            if *left == 0 {
                return;
            }
            if !tried.insert(smaller.sql()) {
                number += 1;
                continue;
            }
            let verdict = bench.compare(&smaller, small.mode).await;
            // What the oracle refuses is cheap: our engine need not try it.
            *left -= usize::from(!matches!(verdict, Verdict::BothRefused(_) | Verdict::OracleRefused(_)));
            match is_like(&verdict, &small.verdict) {
                true => {
                    (small.query, small.verdict) = (smaller, verdict);
                    is_smaller = true;
                }
                false => number += 1,
            }
        }
        if !is_smaller {
            return;
        }
    }
}

async fn cut_tables(bench: &mut Bench, small: &mut Smallest, left: &mut usize) {
    let whole = bench.tables.clone();
    let sql = small.query.sql();
    let mut tables: Vec<Table> =
        whole.iter().filter(|table| sql.contains(&format!("{} ", table.name))).cloned().collect();
    let managed: Vec<Table> = tables.iter().map(|table| Table { storage: Storage::Managed, ..table.clone() }).collect();
    if try_tables(bench, small, &managed).await {
        tables = managed;
        // The plainest engine shows it best, if it shows it.
        let plain =
            Engine { threads: 1, target_partitions: 1, batch_size: 8192, memory_limit: "1GB", keeps_data: false };
        let special = bench.engine.clone();
        bench.restart(plain).await;
        if !try_tables(bench, small, &tables).await {
            bench.restart(special).await;
        }
    }
    for at in 0..tables.len() {
        let mut size = tables[at].rows.len().div_ceil(2);
        while size > 0 && *left > 0 {
            let mut start = 0;
            while start < tables[at].rows.len() && *left > 0 {
                let mut fewer = tables.clone();
                let end = (start + size).min(fewer[at].rows.len());
                fewer[at].rows.drain(start..end);
                if fewer[at].rows.is_empty() {
                    fewer[at].storage = Storage::Managed;
                }
                *left = left.saturating_sub(1);
                match try_tables(bench, small, &fewer).await {
                    true => tables = fewer,
                    false => start += size,
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }
    for at in 0..tables.len() {
        let mut column = 0;
        while column < tables[at].columns.len() && tables[at].columns.len() > 1 && *left > 0 {
            let mut fewer = tables.clone();
            fewer[at].columns.remove(column);
            fewer[at].rows.iter_mut().for_each(|row| drop(row.remove(column)));
            *left = left.saturating_sub(1);
            match !sql.contains('*') && try_tables(bench, small, &fewer).await {
                true => tables = fewer,
                false => column += 1,
            }
        }
    }
    if let Err(error) = bench.load(&tables).await {
        panic!("tables that were loaded before cannot be loaded: {error}");
    }
}

async fn try_tables(bench: &mut Bench, small: &mut Smallest, tables: &[Table]) -> bool {
    if bench.load(tables).await.is_err() {
        return false;
    }
    let verdict = bench.compare(&small.query, small.mode).await;
    let is_same = is_like(&verdict, &small.verdict);
    if is_same {
        small.verdict = verdict;
    }
    is_same
}
