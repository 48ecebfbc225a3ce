//! Positions of cursors: the answers are PostgreSQL 15's.

use arrow::{
    array::{Array, Int64Array},
    datatypes::{DataType, Field, Schema},
};
use datafusion::{
    execution::memory_pool::{GreedyMemoryPool, UnboundedMemoryPool},
    physical_plan::memory::MemoryStream,
};

use super::*;

/// Rows 1, 2, … in batches of so many rows.
fn rows_of(batches: &[i64], scroll: Scroll, pool: Arc<dyn MemoryPool>) -> Rows {
    let schema = Arc::new(Schema::new(vec![Field::new("x", DataType::Int64, false)]));
    let mut next = 1;
    let mut batch = |rows: i64| {
        let column = Int64Array::from_iter_values(next..next + rows);
        next += rows;
        RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(column)]).unwrap()
    };
    let batches = batches.iter().map(|rows| batch(*rows)).collect();
    let stream = MemoryStream::try_new(batches, Arc::clone(&schema), None).unwrap();
    Rows::new((Box::pin(stream), RowsTag::Counted("SELECT")), Interrupt::default(), scroll, &pool)
}

fn unbounded() -> Arc<dyn MemoryPool> {
    Arc::new(UnboundedMemoryPool::default())
}

/// What a FETCH returns.
async fn fetch(rows: &mut Rows, direction: Direction) -> Result<Vec<i64>> {
    let (backward, mut left) = rows.approach(direction).await?;
    let mut found = Vec::new();
    loop {
        let next = match backward {
            true => rows.backward(left),
            false => poll_fn(|context| rows.poll_forward(context, left)).await,
        };
        let Some(batch) = next.transpose()? else { return Ok(found) };
        left -= batch.num_rows() as u64;
        let column = batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap();
        found.extend(column.values().iter().copied());
    }
}

#[tokio::test]
async fn a_scroll_cursor_goes_where_it_is_told() {
    use Direction::{Absolute, Backward, By, Forward, Relative};
    let mut rows = rows_of(&[2, 0, 3], Scroll::Yes, unbounded());
    let nothing: &[i64] = &[];
    for (direction, expected) in [
        (Absolute(-2), &[4][..]),
        (Relative(-1), &[3]),
        (By(0), &[3]),
        (By(-2), &[2, 1]),
        (By(-2), nothing),
        (Relative(0), nothing),
        (Forward, &[1, 2, 3, 4, 5]),
        (By(1), nothing),
        (By(-2), &[5, 4]),
        (By(1), &[5]),
        (Absolute(-9), nothing),
        (By(1), &[1]),
        (Absolute(9), nothing),
        (By(-1), &[5]),
        (Absolute(2), &[2]),
        (Relative(2), &[4]),
        (Backward, &[3, 2, 1]),
        (By(3), &[1, 2, 3]),
        (Absolute(0), nothing),
        (By(1), &[1]),
    ] {
        assert_eq!(fetch(&mut rows, direction).await.unwrap(), expected, "{direction:?}");
    }
}

#[tokio::test]
async fn moving_counts_the_rows_that_a_fetch_would_return() {
    use Direction::{Absolute, Backward, By};
    let mut rows = rows_of(&[5], Scroll::Yes, unbounded());
    for (direction, expected) in [
        (By(0), 0),
        (By(2), 2),
        (By(0), 1),
        (Absolute(-1), 1),
        (By(1), 0),
        (Backward, 5),
        (Absolute(9), 0),
        (By(-1), 1),
    ] {
        assert_eq!(rows.go(direction).await.unwrap(), expected, "{direction:?}");
    }
    assert_eq!(fetch(&mut rows, By(0)).await.unwrap(), [5]);
}

#[tokio::test]
async fn without_scroll_there_is_no_way_back() {
    use Direction::{Absolute, Backward, By, Forward, Relative};
    for direction in [By(-1), By(0), Relative(-1), Relative(0), Absolute(2), Absolute(1), Absolute(-1), Absolute(0)] {
        let mut rows = rows_of(&[2, 3], Scroll::No, unbounded());
        assert_eq!(fetch(&mut rows, Absolute(2)).await.unwrap(), [2]);
        let error = fetch(&mut rows, direction).await.unwrap_err();
        assert_eq!((error.fault(), error.to_string()), (Fault::WrongState, "cursor can only scan forward".to_owned()));
    }
    let mut rows = rows_of(&[2, 3], Scroll::No, unbounded());
    assert_eq!(rows.go(Backward).await.unwrap(), 0);
    assert_eq!(rows.go(By(0)).await.unwrap(), 0);
    assert_eq!(fetch(&mut rows, Relative(2)).await.unwrap(), [2]);
    assert_eq!(rows.go(By(0)).await.unwrap(), 1);
    assert_eq!(fetch(&mut rows, Absolute(4)).await.unwrap(), [4]);
    assert_eq!(fetch(&mut rows, Forward).await.unwrap(), [5]);
    assert!(rows.batches.is_empty(), "rows that nobody can go back to are let go of");
}

#[tokio::test]
async fn kept_rows_are_accounted() {
    let small: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(4_000));
    let mut rows = rows_of(&[100, 1_000], Scroll::Yes, Arc::clone(&small));
    let error = fetch(&mut rows, Direction::Forward).await.unwrap_err();
    assert_eq!(error.fault(), Fault::OutOfMemory);
    drop(rows);
    assert_eq!(small.reserved(), 0);
    // Nobody asked to go back: then memory that is short is no error.
    let mut rows = rows_of(&[100, 1_000], Scroll::Unsaid, Arc::clone(&small));
    assert_eq!(fetch(&mut rows, Direction::Forward).await.unwrap().len(), 1_100);
    assert_eq!(fetch(&mut rows, Direction::By(-1)).await.unwrap_err().fault(), Fault::WrongState);
    assert_eq!(small.reserved(), 0);
}

#[tokio::test]
async fn a_held_cursor_has_all_of_its_rows() {
    let mut rows = rows_of(&[2, 3], Scroll::Unsaid, unbounded());
    assert_eq!(fetch(&mut rows, Direction::By(1)).await.unwrap(), [1]);
    rows.complete().await.unwrap();
    assert!(rows.source.is_none());
    assert_eq!(fetch(&mut rows, Direction::Forward).await.unwrap(), [2, 3, 4, 5]);
    assert_eq!(fetch(&mut rows, Direction::By(-5)).await.unwrap(), [5, 4, 3, 2, 1]);
}
