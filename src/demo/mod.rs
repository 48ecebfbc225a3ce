//! The generated shop: the same data as an organisation's scattered files, any scale, seeded; and the scripts that join
//! it, learn from it and ask the models.

mod files;
mod shop;

use std::path::{Path, PathBuf};

use crate::{Error, Fault, Result};

/// Where the scripts say the demo is.
const WRITTEN_PLACE: &str = "fusewire-demo/";

/// The scripts in their order: name and text.
const SCRIPTS: [(&str, &str); 6] = [
    ("sql/01_sources.sql", include_str!("../../sql/01_sources.sql")),
    ("sql/02_join.sql", include_str!("../../sql/02_join.sql")),
    ("sql/03_recommend.sql", include_str!("../../sql/03_recommend.sql")),
    ("sql/04_ratings.sql", include_str!("../../sql/04_ratings.sql")),
    ("sql/05_buyers.sql", include_str!("../../sql/05_buyers.sql")),
    ("sql/06_models.sql", include_str!("../../sql/06_models.sql")),
];

/// What the shop should be like.
#[derive(Debug, Clone, PartialEq)]
pub struct Shop {
    /// How much of everything there is: 1 is 2,000 customers, 500 products, 40,000 orders and 30,000 visits.
    pub scale: f64,
    /// The same seed and scale give the same files.
    pub seed: u64,
    /// The folder that gets `shop/` with the files and `data/` with what the engine keeps.
    pub folder: PathBuf,
}

/// A script of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Where it is in the project.
    pub name: &'static str,
    /// Its text, with the files' real place in it.
    pub text: String,
}

impl Shop {
    /// Where the engine keeps tables and models.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Generates the files and says in a sentence what there is.
    pub fn generate(&self) -> Result<String> {
        let Self { scale, seed, .. } = *self;
        if !(scale.is_finite() && scale > 0.0 && scale <= MOST_SCALE) {
            let message = format!("the scale {scale} is not a number above 0 and at most {MOST_SCALE}");
            return Err(Error::new(Fault::InvalidArgument, message));
        }
        let size = shop::Size::at(scale);
        let folder = self.folder.join("shop");
        files::write(&shop::Shop::generate(size, seed), &folder).map_err(|error| {
            Error::new(Fault::Io, format!("cannot write the shop's files into {}: {error}", folder.display()))
        })?;
        let shop::Size { customers, products, orders, visits } = size;
        Ok(format!(
            "a shop with {customers} customers, {products} products, {orders} orders and {visits} visits is in {}",
            folder.display()
        ))
    }

    /// The scripts that register, join, train, evaluate, recommend and predict.
    pub fn scripts(&self) -> Vec<Script> {
        let place = format!("{}/", quoted(&self.folder));
        SCRIPTS.iter().map(|(name, text)| Script { name, text: text.replace(WRITTEN_PLACE, &place) }).collect()
    }
}

/// Scales beyond this do not fit the memory that generates them.
const MOST_SCALE: f64 = 1_000.0;

/// A folder as it stands within single quotes.
fn quoted(folder: &Path) -> String {
    folder.display().to_string().trim_end_matches('/').replace('\'', "''")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn generated(seed: u64, scale: f64) -> (tempfile::TempDir, Shop) {
        let home = tempfile::tempdir().unwrap();
        let shop = Shop { scale, seed, folder: home.path().to_owned() };
        shop.generate().unwrap();
        (home, shop)
    }

    #[test]
    fn the_same_seed_gives_the_same_files() {
        let names = ["customers.csv", "clicks.ndjson", "partner.json", "orders/month=2025-03/orders.parquet"];
        let [first, second, other] = [7, 7, 8].map(|seed| generated(seed, 0.02));
        for name in names {
            let read = |shop: &Shop| std::fs::read(shop.folder.join("shop").join(name)).unwrap();
            assert_eq!(read(&first.1), read(&second.1), "{name}");
            assert_ne!(read(&first.1), read(&other.1), "{name}");
        }
    }

    #[test]
    fn a_scale_that_is_no_size_is_refused() {
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            let shop = Shop { scale, seed: 1, folder: PathBuf::from("nowhere") };
            let error = shop.generate().unwrap_err();
            assert!(error.to_string().starts_with("the scale "), "{error}");
        }
        assert!(!Path::new("nowhere").exists());
    }

    #[test]
    fn scripts_name_the_folder() {
        let shop = Shop { scale: 1.0, seed: 1, folder: PathBuf::from("it's here") };
        let texts: Vec<String> = shop.scripts().into_iter().map(|script| script.text).collect();
        assert!(texts[0].contains("'it''s here/shop/customers.csv'"), "{}", texts[0]);
        assert!(texts.iter().all(|text| !text.contains("'fusewire-demo/")));
    }
}
