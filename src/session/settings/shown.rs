//! The settings of a session as they are shown: by name, for whoever has no part in what is set.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use datafusion::config::ConfigOptions;

use super::{Chosen, choose, engine_zone, every, is_custom, is_engine, known, options, unknown};
use crate::{Result, pgtype::Styles, session::Modes};

/// What is found when somebody asks for it, and once.
pub(crate) type Later<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send>>;

/// What will be found so.
pub(crate) fn later<T: 'static>(find: impl FnOnce() -> T + Send + 'static) -> Later<T> {
    LazyLock::new(Box::new(find))
}

/// Settings by name. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(super) start: Arc<Chosen>,
    pub(super) current: Arc<Chosen>,
    pub(super) custom: Arc<BTreeSet<String>>,
    /// Those of the engine.
    pub(super) engine: Arc<Later<BTreeMap<String, String>>>,
}

/// What options of the engine are shown as.
pub(super) fn shown_options(of: Arc<ConfigOptions>) -> Arc<Later<BTreeMap<String, String>>> {
    Arc::new(later(move || options(&of).into_iter().map(|(name, value, _)| (name, value)).collect()))
}

impl Shown {
    /// Those that were written, with what was chosen of the engine's options.
    pub(crate) fn read(all: BTreeMap<String, String>, chosen: Vec<(String, String)>) -> Self {
        let (engine, own): (BTreeMap<_, _>, BTreeMap<_, _>) = all.into_iter().partition(|(name, _)| is_engine(name));
        let custom: BTreeSet<String> = own.keys().filter(|name| is_custom(name)).cloned().collect();
        Self {
            start: Arc::new(Chosen(own.into_iter().chain(chosen).collect())),
            current: Arc::default(),
            custom: Arc::new(custom),
            engine: Arc::new(later(move || engine)),
        }
    }

    /// The value of any setting.
    pub(crate) fn show(&self, name: &str) -> Result<String> {
        if is_engine(name) {
            return self.engine.get(name).cloned().ok_or_else(|| unknown(name));
        }
        if let Some(value) = self.current.get(name).or_else(|| self.start.get(name)) {
            return Ok(value.to_owned());
        }
        // One that was set once is there, whatever became of its value.
        match self.custom.contains(name) {
            true => Ok(String::new()),
            false => known(name).map(|known| known.default.to_owned()),
        }
    }

    /// The same in a transaction that is run so.
    pub(crate) fn show_in(&self, modes: Modes, name: &str) -> Result<String> {
        modes.shown(name).map_or_else(|| self.show(name), |value| Ok(value.to_owned()))
    }

    /// What the engine calls the time zone.
    pub(crate) fn zone(&self) -> Arc<str> {
        self.show("timezone").map_or_else(|_| Arc::from("UTC"), |zone| Arc::from(engine_zone(&zone)))
    }

    /// The styles of dates, intervals and floats.
    pub(crate) fn styles(&self) -> Styles {
        let value = |name| self.show(name).unwrap_or_default();
        Styles::named(&value("datestyle"), &value("intervalstyle")).with_floats(&value("extra_float_digits"))
    }

    /// All settings, by name.
    pub(crate) fn all(&self) -> BTreeMap<String, String> {
        let known = every().map(|known| known.name);
        let chosen = self.start.0.iter().chain(&self.current.0).map(|(name, _)| name.as_str());
        let own = known.chain(chosen).chain(self.custom.iter().map(String::as_str));
        let own = own.filter(|name| !is_engine(name)).filter_map(|name| Some((name.to_owned(), self.show(name).ok()?)));
        own.chain(self.engine.iter().map(|(name, value)| (name.clone(), value.clone()))).collect()
    }

    /// What is chosen of the engine's options, in the order in which it was.
    pub(crate) fn chosen(&self) -> impl Iterator<Item = &(String, String)> {
        self.start.engine().chain(self.current.engine())
    }

    /// Sets what is chosen of the engine's options, and its time zone.
    pub(crate) fn choose(&self, options: &mut ConfigOptions) -> Result<()> {
        choose(options, self.chosen(), &self.zone(), self.styles())
    }
}

/// Whether they are the same ones: two of one statement are.
impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.start, &other.start)
            && Arc::ptr_eq(&self.current, &other.current)
            && Arc::ptr_eq(&self.custom, &other.custom)
            && Arc::ptr_eq(&self.engine, &other.engine)
    }
}

impl Eq for Shown {}
