//! Ratings that were generated with known factors: how near predictions come to held-out ratings, from SQL alone.

use std::{collections::HashSet, fmt::Write as _, fs};

use fusewire::Config;
use sha2::{Digest, Sha256};

use crate::support::Local;

/// What scikit-surprise 1.1.5's SVD scores on these held-out ratings, tuned by 3-fold cross-validation on the others:
/// `python tests/oracle/ratings_svd.py /tmp/ratings` chooses n_factors 8, n_epochs 320, lr_all 0.03, reg_all 0.06.
const SVD_RMSE: f64 = 0.5981;

/// How much worse than that we may be.
const FACTOR: f64 = 1.02;

/// Checksums of the files that the Python program writes: both generators make the same bytes.
const TRAIN_SHA256: &str = "19a6056ab64c8ee054c8d53457199b6fd7f6c45817672eb080f64ea5fc2bf790";
const TEST_SHA256: &str = "d1816449ba95e208005414bfccf4de40266b18e5f72197bd7065a825d5cc21be";

const USERS: usize = 2_000;
const ITEMS: usize = 1_000;
const RATINGS: usize = 100_000;
const RANK: usize = 8;
const USER_BIAS: f64 = 0.4;
const ITEM_BIAS: f64 = 0.5;
const FACTOR_DEVIATION: f64 = 0.46;
const NOISE: f64 = 0.5;

/// SplitMix64, as in the Python program.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn normal(&mut self) -> f64 {
        (0..12).fold(-6.0, |total, _| total + (self.bits() >> 11) as f64 * (0.5_f64).powi(53))
    }

    fn normals(&mut self, count: usize, deviation: f64) -> Vec<f64> {
        (0..count).map(|_| deviation * self.normal()).collect()
    }
}

/// The ratings to learn from and those held out, as CSV.
fn ratings() -> (String, String) {
    let mut random = Random(42);
    let user_bias = random.normals(USERS, USER_BIAS);
    let item_bias = random.normals(ITEMS, ITEM_BIAS);
    let user_factors = random.normals(USERS * RANK, FACTOR_DEVIATION);
    let item_factors = random.normals(ITEMS * RANK, FACTOR_DEVIATION);
    let header = "user_id,item_id,rating\n".to_owned();
    let (mut train, mut test) = (header.clone(), header);
    let mut seen = HashSet::new();
    while seen.len() < RATINGS {
        let pair = (random.bits() % (USERS * ITEMS) as u64) as usize;
        if !seen.insert(pair) {
            continue;
        }
        let (user, item) = (pair / ITEMS, pair % ITEMS);
        let factors = user_factors[user * RANK..][..RANK].iter().zip(&item_factors[item * RANK..][..RANK]);
        let signal = factors.fold(3.5 + user_bias[user] + item_bias[item], |sum, (left, right)| sum + left * right);
        let rating = signal + NOISE * random.normal();
        let part = if random.bits().is_multiple_of(10) { &mut test } else { &mut train };
        writeln!(part, "{user},{item},{rating:.4}").unwrap();
    }
    (train, test)
}

#[tokio::test(flavor = "multi_thread")]
async fn generated_ratings_are_predicted_as_well_as_by_a_tuned_peer() {
    let home = tempfile::tempdir().unwrap();
    let (train, test) = ratings();
    for (name, text, sha256) in [("train", train, TRAIN_SHA256), ("test", test, TEST_SHA256)] {
        assert_eq!(format!("{:x}", Sha256::digest(&text)), sha256, "the peer was measured on other {name} rows");
        fs::write(home.path().join(format!("{name}.csv")), text).unwrap();
    }
    let local = Local::open(Config::default()).await.unwrap();
    for name in ["train", "test"] {
        let location = home.path().join(format!("{name}.csv"));
        let create = format!("CREATE EXTERNAL TABLE {name}_rows STORED AS CSV LOCATION '{}'", location.display());
        local.rows(&create).await;
    }
    let trained = local
        .rows(
            "SELECT slice, metric, value, baseline FROM train('taste', (SELECT user_id, item_id, rating, 'train' AS part \
             FROM train_rows UNION ALL SELECT user_id, item_id, rating, 'test' FROM test_rows), target => 'rating', \
             user => 'user_id', item => 'item_id', split => 'column:part') WHERE slice = 'all' AND metric = 'rmse'",
        )
        .await;
    let rmse: f64 = trained[0][2].parse().unwrap();
    let by_hand: f64 = local
        .value(
            "SELECT sqrt(avg((prediction - rating) * (prediction - rating))) \
             FROM predict('taste', (SELECT user_id, item_id, rating FROM test_rows))",
        )
        .await
        .parse()
        .unwrap();
    assert!((rmse - by_hand).abs() < 1e-6, "training says {rmse}, SQL over predictions {by_hand}");
    assert!(rmse <= FACTOR * SVD_RMSE, "RMSE {rmse}, expected at most {FACTOR} times {SVD_RMSE}");
    let baseline: f64 = trained[0][3].parse().unwrap();
    assert!(rmse < 0.8 * baseline, "RMSE {rmse}, baseline {baseline}");
}
