//! How a transaction is run: its isolation, whether it only reads, whether it may wait.

/// How far a transaction is kept apart from others. At the lower levels, which are one, each statement reads a snapshot of its
/// own; at the others all read that of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    ReadUncommitted,
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

/// One thing that `BEGIN` and `SET TRANSACTION` can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Isolation(Isolation),
    ReadOnly(bool),
    Deferrable(bool),
}

/// How a transaction is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Modes {
    pub(crate) isolation: Isolation,
    pub(crate) read_only: bool,
    pub(crate) deferrable: bool,
}

impl Isolation {
    const ALL: [Self; 4] = [Self::Serializable, Self::RepeatableRead, Self::ReadCommitted, Self::ReadUncommitted];

    /// The level's name, as SHOW tells it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ReadUncommitted => "read uncommitted",
            Self::ReadCommitted => "read committed",
            Self::RepeatableRead => "repeatable read",
            Self::Serializable => "serializable",
        }
    }

    /// Whether each statement sees what was committed before it.
    pub(crate) const fn reads_on(self) -> bool {
        matches!(self, Self::ReadUncommitted | Self::ReadCommitted)
    }

    /// The level of a name in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(name))
    }
}

fn switch(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

impl Modes {
    /// The modes where nothing is set: what every transaction has is what is promised.
    pub(crate) const DEFAULT: Self = Self { isolation: Isolation::RepeatableRead, read_only: false, deferrable: false };

    /// The value of the setting that tells a mode, if the name is one's.
    pub(crate) fn shown(&self, setting: &str) -> Option<&'static str> {
        match setting {
            "transaction_isolation" => Some(self.isolation.name()),
            "transaction_read_only" => Some(switch(self.read_only)),
            "transaction_deferrable" => Some(switch(self.deferrable)),
            _ => None,
        }
    }
}

impl Mode {
    /// What the setting of a mode asks for, of which the value has been checked; without one, the default.
    pub(crate) fn of_setting(name: &str, value: Option<&str>) -> Option<Self> {
        let default = Modes::DEFAULT;
        let on = |default: bool| value.map_or(default, |value| value == "on");
        match name {
            "transaction_isolation" => {
                Some(Self::Isolation(value.and_then(Isolation::named).unwrap_or(default.isolation)))
            }
            "transaction_read_only" => Some(Self::ReadOnly(on(default.read_only))),
            "transaction_deferrable" => Some(Self::Deferrable(on(default.deferrable))),
            _ => None,
        }
    }

    /// The setting that this mode is the default of, with its value.
    pub(crate) fn default_setting(self) -> (&'static str, &'static str) {
        match self {
            Self::Isolation(level) => ("default_transaction_isolation", level.name()),
            Self::ReadOnly(on) => ("default_transaction_read_only", switch(on)),
            Self::Deferrable(on) => ("default_transaction_deferrable", switch(on)),
        }
    }
}
