//! The options of `train`: raw as SQL gives them, then valid.
//!
//! Everything that can be said without the rows is checked by [`Options::validate`]; what depends on the rows (whether
//! the columns exist, which objective a target asks for) is checked by [`crate::fit::fit`].

use crate::error::{Error, Result};

/// The options of a training as the caller read them; names of columns are exact.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// `squared`, `logistic` or `implicit`; chosen from the target if absent.
    pub objective: Option<String>,
    /// The column to predict; without it the objective is implicit.
    pub target: Option<String>,
    /// Whether the target's column holds integers: only then zeros and ones alone make it a classification.
    pub integer_target: bool,
    /// The user's column.
    pub user: Option<String>,
    /// The item's column.
    pub item: Option<String>,
    /// The column that orders rows in time; it is not a feature.
    pub time: Option<String>,
    /// The column that scales each row's loss; it is not a feature.
    pub weight: Option<String>,
    /// The column summed into each pair's strength (implicit only); it is not a feature.
    pub strength: Option<String>,
    /// Columns that describe the user, whatever their values look like and however few rows of a user show it.
    pub user_columns: Vec<String>,
    /// Columns that describe the item, likewise.
    pub item_columns: Vec<String>,
    /// `random`, `time`, `last`, `group:column`, `column:name` or `none`; `time` if absent and rows have a time, else
    /// `random`. Random is by hash of the seed and all but target and weight: the few equal rows of a table stay together, the
    /// many are divided, and a user with several rows, or any pair, keeps one for training.
    pub split: Option<String>,
    /// The share of rows held out, above 0 and below 1; 0.1 if absent.
    pub test_size: Option<f64>,
    /// The seed of everything random; 42 if absent.
    pub seed: Option<u64>,
    /// Whether the stored model is trained again on all rows after the evaluation.
    pub refit: bool,
    /// Values for names of [`HYPERPARAMETERS`]; unknown names are refused.
    pub hyperparameters: Vec<(String, f64)>,
}

/// What a model minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// Squared error of a number.
    Squared,
    /// Log loss of two classes.
    Logistic,
    /// Weighted squared error of seen pairs against all pairs.
    Implicit,
}

impl Objective {
    /// The name that SQL uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Squared => "squared",
            Self::Logistic => "logistic",
            Self::Implicit => "implicit",
        }
    }
}

/// How rows are told into training and test.
#[derive(Debug, Clone, PartialEq)]
pub enum Split {
    /// By hash of seed and row.
    Random,
    /// One cutoff in time.
    Time,
    /// Each user's newest row.
    Last,
    /// Whole groups of a column, by hash.
    Group(String),
    /// As a column says.
    Column(String),
    /// Everything is training.
    None,
}

/// A numeric option of the solvers: enough to check it, to list it and to document it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hyperparameter {
    /// The name that SQL uses.
    pub name: &'static str,
    /// The default, as text.
    pub default: &'static str,
    /// The accepted range, as text.
    pub range: &'static str,
    /// What it does.
    pub purpose: &'static str,
    /// The objectives it applies to.
    pub objectives: &'static [Objective],
    /// The smallest accepted value.
    minimum: f64,
    /// The largest accepted value.
    maximum: f64,
    /// Whether only whole numbers are accepted.
    whole: bool,
}

const EVERY: &[Objective] = &[Objective::Squared, Objective::Logistic, Objective::Implicit];

/// Every hyperparameter of the embedding model.
pub const HYPERPARAMETERS: &[Hyperparameter] = &[
    Hyperparameter {
        name: "factors",
        default: "16, or 4 where they predict rows set aside better (implicit: 64, logistic: 8)",
        range: "a whole number from 0 to 1024 (implicit: from 1)",
        purpose: "the length of every embedding; 0 leaves biases alone",
        objectives: EVERY,
        minimum: 0.0,
        maximum: 1024.0,
        whole: true,
    },
    Hyperparameter {
        name: "epochs",
        default: "40 (implicit: 16, logistic: 30)",
        range: "a whole number from 1 to 10000",
        purpose: "how often the solver goes over all rows",
        objectives: EVERY,
        minimum: 1.0,
        maximum: 10_000.0,
        whole: true,
    },
    Hyperparameter {
        name: "learning_rate",
        default: "0.2",
        range: "from 1e-9 to 100",
        purpose: "the size of the first gradient steps",
        objectives: &[Objective::Logistic],
        minimum: 1e-9,
        maximum: 100.0,
        whole: false,
    },
    Hyperparameter {
        name: "regularization",
        default: "learnt from the rows (logistic: what predicts rows set aside best; implicit: 0.01)",
        range: "from 1e-9 to 1e9",
        purpose: "how strongly parameters are held to their prior mean",
        objectives: EVERY,
        minimum: 1e-9,
        maximum: 1e9,
        whole: false,
    },
    Hyperparameter {
        name: "alpha",
        default: "1",
        range: "from 0 to 1e9",
        purpose: "how much strength counts: a pair of strength s weighs 1 + alpha ln(1 + s)",
        objectives: &[Objective::Implicit],
        minimum: 0.0,
        maximum: 1e9,
        whole: false,
    },
    Hyperparameter {
        name: "unobserved_weight",
        default: "20 times the share of all pairs that were seen, at most 1",
        range: "from 1e-9 to 1e6",
        purpose: "the weight of every pair, seen or not, against zero",
        objectives: &[Objective::Implicit],
        minimum: 1e-9,
        maximum: 1e6,
        whole: false,
    },
    Hyperparameter {
        name: "frequency_exponent",
        default: "1",
        range: "from 0 to 1",
        purpose: "how far regularization grows with the number of an entity's pairs",
        objectives: &[Objective::Implicit],
        minimum: 0.0,
        maximum: 1.0,
        whole: false,
    },
    Hyperparameter {
        name: "feature_regularization",
        default: "1",
        range: "from 1e-9 to 1e9",
        purpose: "how strongly the vectors of side columns are held to zero",
        objectives: &[Objective::Implicit],
        minimum: 1e-9,
        maximum: 1e9,
        whole: false,
    },
];

/// Options that contradict neither themselves nor their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidOptions {
    pub(crate) objective: Option<Objective>,
    pub(crate) target: Option<String>,
    pub(crate) integer_target: bool,
    pub(crate) user: Option<String>,
    pub(crate) item: Option<String>,
    pub(crate) time: Option<String>,
    pub(crate) weight: Option<String>,
    pub(crate) strength: Option<String>,
    pub(crate) user_columns: Vec<String>,
    pub(crate) item_columns: Vec<String>,
    pub(crate) split: Split,
    pub(crate) test_size: f64,
    pub(crate) seed: u64,
    pub(crate) refit: bool,
    hyperparameters: Vec<(&'static Hyperparameter, f64)>,
}

impl Options {
    /// Checks everything that needs no rows.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] naming the option, what was found and what is accepted.
    pub fn validate(self) -> Result<ValidOptions> {
        let objective = self.objective.as_deref().map(parse_objective).transpose()?;
        let split = parse_split(self.split.as_deref(), self.time.is_some(), self.user.is_some())?;
        self.check_roles(objective, &split)?;
        let test_size = self.test_size.unwrap_or(0.1);
        if !(test_size > 0.0 && test_size < 1.0) {
            return Err(invalid("test_size", format!("found {test_size}, expected a share above 0 and below 1")));
        }
        let hyperparameters = parse_hyperparameters(&self.hyperparameters)?;
        Ok(ValidOptions {
            objective,
            target: self.target,
            integer_target: self.integer_target,
            user: self.user,
            item: self.item,
            time: self.time,
            weight: self.weight,
            strength: self.strength,
            user_columns: self.user_columns,
            item_columns: self.item_columns,
            split,
            test_size,
            seed: self.seed.unwrap_or(42),
            refit: self.refit,
            hyperparameters,
        })
    }

    /// One column plays one part, and parts that need others have them.
    fn check_roles(&self, objective: Option<Objective>, split: &Split) -> Result<()> {
        let roles = [
            ("target", &self.target),
            ("user", &self.user),
            ("item", &self.item),
            ("time", &self.time),
            ("weight", &self.weight),
            ("strength", &self.strength),
        ];
        for (position, (role, name)) in roles.iter().enumerate() {
            let Some(name) = name else { continue };
            if let Some((other, _)) = roles[..position].iter().find(|(_, taken)| taken.as_ref() == Some(name)) {
                return Err(invalid(role, format!("the column {name} is already the {other}; name another column")));
            }
            for (list, names) in [("user_columns", &self.user_columns), ("item_columns", &self.item_columns)] {
                if names.contains(name) {
                    return Err(invalid(list, format!("the column {name} is the {role}, which is not a side column")));
                }
            }
            let held_out_by = match split {
                Split::Column(column) => column == name,
                Split::Group(column) => column == name && *role == "target",
                _ => false,
            };
            if held_out_by {
                return Err(invalid("split", format!("the column {name} is the {role}; name another column")));
            }
        }
        if let Some(name) = self.user_columns.iter().find(|name| self.item_columns.contains(name)) {
            return Err(invalid("item_columns", format!("the column {name} is also in user_columns; list it once")));
        }
        let sides = !self.user_columns.is_empty() || !self.item_columns.is_empty();
        if sides && (self.user.is_none() || self.item.is_none()) {
            let list = if self.user_columns.is_empty() { "item_columns" } else { "user_columns" };
            return Err(invalid(list, "side columns need both user and item; name both, or leave it out".into()));
        }
        match objective.or(self.target.is_none().then_some(Objective::Implicit)) {
            Some(Objective::Implicit) => self.check_implicit(),
            chosen => self.check_targeted(chosen),
        }
    }

    fn check_implicit(&self) -> Result<()> {
        if let Some(target) = &self.target {
            let problem = format!(
                "implicit takes no target, found {target}; keep only the positive rows and leave target \
                 out, or choose squared or logistic"
            );
            return Err(invalid("objective", problem));
        }
        for (role, name) in [("user", &self.user), ("item", &self.item)] {
            if name.is_none() {
                let problem = format!(
                    "without a target the objective is implicit, which needs user and item, and {role} is missing; name \
                     its column, or name a target"
                );
                return Err(invalid(role, problem));
            }
        }
        if let Some(weight) = &self.weight {
            let problem =
                format!("implicit has no row weights, found {weight}; pass it as strength, which is summed a pair");
            return Err(invalid("weight", problem));
        }
        if self.strength.is_none() && self.hyperparameters.iter().any(|(name, _)| name == "alpha") {
            return Err(invalid(
                "alpha",
                "it scales strengths, and there are none; name their column with strength => '…'".into(),
            ));
        }
        Ok(())
    }

    fn check_targeted(&self, objective: Option<Objective>) -> Result<()> {
        if let (Some(objective), None) = (objective, &self.target) {
            return Err(invalid("target", format!("{} needs a target; name its column", objective.name())));
        }
        if let Some(strength) = &self.strength {
            let problem = format!(
                "strength belongs to the implicit objective, found {strength}; use weight, or leave target out"
            );
            return Err(invalid("strength", problem));
        }
        Ok(())
    }
}

impl ValidOptions {
    /// The seed of everything random.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How rows are held out.
    pub fn split(&self) -> &Split {
        &self.split
    }

    /// The value given for a hyperparameter.
    pub(crate) fn hyperparameter(&self, name: &str) -> Option<f64> {
        self.hyperparameters.iter().find(|(known, _)| known.name == name).map(|(_, value)| *value)
    }

    /// Refuses hyperparameters that the objective, once chosen, does not have.
    pub(crate) fn check_hyperparameters(&self, objective: Objective) -> Result<()> {
        for (known, value) in &self.hyperparameters {
            if !known.objectives.contains(&objective) {
                let names: Vec<_> = known.objectives.iter().map(|accepted| accepted.name()).collect();
                let problem = format!(
                    "the objective is {}, and only {} has it; leave it out",
                    objective.name(),
                    names.join(", ")
                );
                return Err(invalid(known.name, problem));
            }
            if known.name == "factors" && objective == Objective::Implicit && *value < 1.0 {
                return Err(invalid(known.name, "found 0, but implicit has no biases and needs at least 1".into()));
            }
        }
        Ok(())
    }
}

/// [`Error::InvalidOption`] of these parts.
pub(crate) fn invalid(name: &str, problem: String) -> Error {
    Error::InvalidOption { name: name.into(), problem }
}

fn parse_objective(name: &str) -> Result<Objective> {
    if let Some(&objective) = EVERY.iter().find(|objective| objective.name() == name) {
        return Ok(objective);
    }
    let problem = match name {
        "bpr" => "bpr is not available yet; use implicit".into(),
        _ => format!("found '{name}', expected squared, logistic or implicit"),
    };
    Err(invalid("objective", problem))
}

fn parse_split(text: Option<&str>, has_time: bool, has_user: bool) -> Result<Split> {
    let Some(text) = text else { return Ok(if has_time { Split::Time } else { Split::Random }) };
    let split = match text.split_once(':') {
        Some(("group", column)) if !column.is_empty() => Split::Group(column.into()),
        Some(("column", column)) if !column.is_empty() => Split::Column(column.into()),
        Some(_) => return Err(unknown_split(text)),
        None => match text {
            "random" => Split::Random,
            "time" => Split::Time,
            "last" => Split::Last,
            "none" => Split::None,
            _ => return Err(unknown_split(text)),
        },
    };
    match split {
        Split::Time | Split::Last if !has_time => Err(invalid(
            "split",
            format!("'{text}' needs to know when rows happened; name the column with time => '…'"),
        )),
        Split::Last if !has_user => {
            Err(invalid("split", "'last' holds out each user's newest row; name the column with user => '…'".into()))
        }
        split => Ok(split),
    }
}

fn unknown_split(text: &str) -> Error {
    invalid("split", format!("found '{text}', expected random, time, last, group:<column>, column:<column> or none"))
}

fn parse_hyperparameters(given: &[(String, f64)]) -> Result<Vec<(&'static Hyperparameter, f64)>> {
    let mut parsed: Vec<(&'static Hyperparameter, f64)> = Vec::with_capacity(given.len());
    for (name, value) in given {
        if name == "negatives" {
            return Err(invalid(name, "negative sampling is not available yet; leave it out".into()));
        }
        let Some(known) = HYPERPARAMETERS.iter().find(|known| known.name == name) else {
            let names: Vec<_> = HYPERPARAMETERS.iter().map(|known| known.name).collect();
            return Err(invalid(
                name,
                format!("there is no such hyperparameter; expected one of {}", names.join(", ")),
            ));
        };
        let fits = *value >= known.minimum && *value <= known.maximum && (!known.whole || value.fract() == 0.0);
        if !fits {
            return Err(invalid(name, format!("found {value}, expected {}", known.range)));
        }
        if parsed.iter().any(|(other, _)| other.name == known.name) {
            return Err(invalid(name, "it is given twice; give it once".into()));
        }
        parsed.push((known, *value));
    }
    Ok(parsed)
}
