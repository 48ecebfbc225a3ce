//! Recommendation: order, exclusions, candidates, cold users, history.

use super::*;
use crate::{Candidates, Event, Model, Request, Role, UNSEEN};

fn model(objective: Objective, seed: u64) -> (Table, Model) {
    let mut rows = shop(objective, seed, 160);
    rows.columns.retain(|(name, _)| !["price", "when", "shape", "note"].contains(&name.as_str()));
    let model = run(&rows, Options { split: Some("none".into()), ..options(objective) }).unwrap().model;
    (rows, model)
}

fn users(model: &Model, codes: &[u32]) -> Table {
    let dictionary = model.key(Role::User).and_then(|column| column.dictionary()).unwrap().clone();
    table(vec![("u", Values::Category { codes: codes.to_vec(), dictionary })])
}

fn request(k: usize) -> Request<'static> {
    Request { k, threads: 1, ..Request::default() }
}

fn items(model: &Model, users: &Table, request: &Request<'_>) -> Vec<Vec<u32>> {
    let answers = model.recommend(users, request, &Unattended).unwrap();
    answers.iter().map(|answer| answer.iter().map(|own| own.item).collect()).collect()
}

#[test]
fn ranks_are_those_of_predictions_whatever_the_threads() {
    for objective in [Objective::Squared, Objective::Implicit] {
        let (_, model) = model(objective, 31);
        let asked = users(&model, &(0..19).collect::<Vec<_>>());
        let all = Request { include_seen: true, ..request(15) };
        let answers = model.recommend(&asked, &all, &Unattended).unwrap();
        for threads in [2, 5] {
            assert_eq!(model.recommend(&asked, &Request { threads, ..all.clone() }, &Unattended).unwrap(), answers);
        }
        let dictionary = model.key(Role::Item).and_then(|column| column.dictionary()).unwrap();
        for (user, answer) in answers.iter().enumerate() {
            assert_eq!(answer.len(), dictionary.len());
            let codes = answer.iter().map(|own| own.item).collect();
            let mut batch = users(&model, &vec![user as u32; answer.len()]);
            batch.columns.push(("i".into(), Values::Category { codes, dictionary: dictionary.clone() }));
            let scores: Vec<f64> = answer.iter().map(|own| own.score).collect();
            assert_eq!(model.predict(&batch).unwrap(), scores);
            assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]));
        }
    }
}

#[test]
fn more_than_a_few_hundred_are_the_same_as_few() {
    let scores: Vec<f64> = (0..1000).map(|at| f64::from(at * 7919 % 13)).collect();
    let masked: Vec<bool> = (0..1000).map(|at| at % 3 == 0).collect();
    let many = crate::rank::Top::best(&scores, &masked, 300);
    assert_eq!(crate::rank::Top::best(&scores, &masked, 100), many[..100]);
    let ordered = many.windows(2).all(|pair| {
        let [left, right] = [pair[0], pair[1]].map(|at| scores[at as usize]);
        left > right || (left == right && pair[0] < pair[1])
    });
    assert!(ordered && many.iter().all(|at| at % 3 != 0));
}

#[test]
fn seen_and_excluded_items_are_left_out() {
    let (rows, model) = model(Objective::Implicit, 32);
    let asked = users(&model, &[4]);
    let seen: Vec<u32> = model.parts.seen.row(4).0.to_vec();
    let open = items(&model, &asked, &request(15)).remove(0);
    assert!(!seen.is_empty() && open.iter().all(|item| !seen.contains(item)));
    assert_eq!(open.len() + seen.len(), 15);
    let excluded = [vec![open[0], 9999, UNSEEN]];
    let fewer = items(&model, &asked, &Request { exclude: &excluded, ..request(15) }).remove(0);
    assert_eq!(fewer, open[1..]);
    assert_eq!(rows.rows, 160);
}

#[test]
fn users_held_out_whole_are_not_shown_what_they_have_seen() {
    let rows = table(vec![
        ("u", words(&["a", "a", "b", "b", "c"])),
        ("i", words(&["1", "2", "1", "3", "1"])),
        ("part", words(&["train", "train", "train", "train", "test"])),
    ]);
    let own = Options { split: Some("column:part".into()), ..options(Objective::Implicit) };
    let model = run(&rows, own).unwrap().model;
    let asked = table(vec![("u", words(&["c", "d"]))]);
    // By popularity 1 leads, and 2 and 3 tie.
    assert_eq!(items(&model, &asked, &request(5)), [vec![1, 2], vec![0, 1, 2]]);
    let scores = model.recommend(&asked, &request(1), &Unattended).unwrap();
    assert_eq!(scores[1][0].score, 0.5);
}

#[test]
fn candidates_may_be_new_and_boosted() {
    let (_, model) = model(Objective::Squared, 33);
    let asked = users(&model, &[0]);
    // The new item has only its brand; i3 comes twice.
    let candidates = table(vec![
        ("i", texts(&[Some("i3"), Some("new"), Some("i5"), None, Some("i3")])),
        ("brand", words(&["acme", "brio", "brio", "acme", "acme"])),
    ]);
    let boost = [0.0, 100.0, 50.0, 0.0, 200.0];
    let asking = |boost| Request {
        candidates: Some(Candidates { items: &candidates, boost }),
        include_seen: true,
        ..request(10)
    };
    // The candidates' own codes: i3, i5, new.
    assert_eq!(items(&model, &asked, &asking(Some(&boost))), [[0, 2, 1]]);
    let plain = model.recommend(&asked, &asking(None), &Unattended).unwrap().remove(0);
    let mut batch = candidates.clone();
    batch.columns.push(("u".into(), users(&model, &[0; 5]).columns[0].1.clone()));
    let scores = model.predict(&batch).unwrap();
    for (row, code) in [(0, 0), (1, 2), (2, 1)] {
        assert_eq!(plain.iter().find(|own| own.item == code).map(|own| own.score), Some(scores[row]));
    }
    let nan = [0.0, f64::NAN, 0.0, 0.0, 0.0];
    let error = model.recommend(&asked, &asking(Some(&nan)), &Unattended).unwrap_err().to_string();
    assert_eq!(error, "a boost of the candidates is NULL or not finite; give every row a number");
}

#[test]
fn no_more_than_so_many_of_a_category() {
    let (_, model) = model(Objective::Implicit, 34);
    let asked = users(&model, &[1, 2]);
    let own = Request { max_per: Some(("brand", 2)), include_seen: true, ..request(15) };
    let all = items(&model, &asked, &Request { include_seen: true, ..request(15) });
    let column = model.column("brand").unwrap();
    let brand = |item: u32| {
        let row = model.parts.items.features.row(item as usize).0;
        row.iter().find(|&&at| (at as usize) < column.first_feature + 3 && at as usize >= column.first_feature).copied()
    };
    for (few, all) in items(&model, &asked, &own).into_iter().zip(all) {
        assert_eq!(few.len(), 6);
        let mut counts = std::collections::BTreeMap::new();
        let expected: Vec<u32> = all
            .into_iter()
            .filter(|&item| *counts.entry(brand(item)).and_modify(|count| *count += 1).or_insert(1) <= 2)
            .collect();
        assert_eq!(few, expected);
    }
    let wrong = Request { max_per: Some(("age", 2)), ..request(5) };
    let error = model.recommend(&asked, &wrong, &Unattended).unwrap_err().to_string();
    assert_eq!(error, "max_per: the model has no category column age of the item's side; it has brand");
}

#[test]
fn history_moves_a_newcomer_to_where_such_users_are() {
    for objective in [Objective::Squared, Objective::Implicit] {
        // Two camps: users of one like even items, those of the other odd ones.
        let (mut us, mut is, mut ys) = (Vec::new(), Vec::new(), Vec::new());
        for user in 0..30i64 {
            for item in 0..12i64 {
                let likes = user % 2 == item % 2;
                if (user * 5 + item * 3) % 7 != 0 && (likes || objective == Objective::Squared) {
                    us.push(user);
                    is.push(item);
                    ys.push(if likes { 5.0 } else { 1.0 });
                }
            }
        }
        let mut columns = vec![("u", integers(&us)), ("i", integers(&is))];
        if objective == Objective::Squared {
            columns.push(("y", Values::Number(ys)));
        }
        let own = Options { split: Some("none".into()), ..options(objective) };
        let model = run(&table(columns), own).unwrap().model;
        let asked = table(vec![("u", integers(&[777]))]);
        let like = |item: u32| Event { item, value: Some(5.0) };
        let history = [vec![like(1), like(3), like(5), Event { item: UNSEEN, value: Some(1.0) }]];
        let found = items(&model, &asked, &Request { history: &history, ..request(3) }).remove(0);
        assert!(found.iter().all(|item| item % 2 == 1 && ![1, 3, 5].contains(item)), "{objective:?} {found:?}");
        // A known user keeps what training knew, and nobody else moves.
        let both = users(&model, &[0, 2]);
        let events = [vec![Event { item: 2, value: Some(5.0) }], Vec::new()];
        let with = model.recommend(&both, &Request { history: &events, ..request(12) }, &Unattended).unwrap();
        let without = model.recommend(&both, &request(12), &Unattended).unwrap();
        assert_eq!(with[1], without[1]);
        assert!(with[0].iter().all(|own| own.item != 2));
    }
}

#[test]
fn a_model_without_both_keys_recommends_nothing() {
    let rows = table(vec![("x", Values::Number(vec![1.0, 2.0, 3.0])), ("y", Values::Number(vec![1.0, 2.0, 4.0]))]);
    let own = Options { user: None, item: None, split: Some("none".into()), ..options(Objective::Squared) };
    let model = run(&rows, own).unwrap().model;
    let error = model.recommend(&rows, &request(1), &Unattended).unwrap_err().to_string();
    assert_eq!(
        error,
        "model: the model has no user and item to recommend with; train it with user => '…' and item => '…'"
    );
}
