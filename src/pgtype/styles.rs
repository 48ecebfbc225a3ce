//! How a session reads and writes dates and intervals, and writes floats: its settings `DateStyle`, `IntervalStyle` and
//! `extra_float_digits`.
//!
//! They stand among the query engine's options, so that whoever plans or runs a statement finds them, and in the metadata of the
//! schema of its rows for whoever shows those.

use std::any::Any;

use arrow::datatypes::Schema;
use datafusion::{
    common::{Result, exec_err},
    config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions},
};

/// See the module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Styles {
    pub(crate) dates: DateStyle,
    pub(crate) order: DateOrder,
    pub(crate) intervals: IntervalStyle,
    pub(crate) floats: FloatDigits,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum DateStyle {
    /// `2024-12-31`
    #[default]
    Iso,
    /// `12/31/2024`
    Sql,
    /// `Tue Dec 31 10:00:00 2024`
    Postgres,
    /// `31.12.2024`
    German,
}

/// What comes first where the year has no four digits, or is not first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum DateOrder {
    #[default]
    Month,
    Day,
    Year,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum IntervalStyle {
    /// `1 year 2 days 03:04:05`
    #[default]
    Postgres,
    /// `@ 1 year 2 days 3 hours 4 mins 5 secs`
    Verbose,
    /// `+1-0 +2 +3:04:05`
    SqlStandard,
    /// `P1Y2DT3H4M5S`
    Iso8601,
}

/// With how many digits floats are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum FloatDigits {
    /// With as few as tell the value from all others.
    #[default]
    Shortest,
    /// With so many fewer than any number of as many digits keeps, which are 15 of double precision and 6 of real.
    Fewer(u8),
}

/// The session that a text is read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InSession<'a> {
    /// The zone of its clocks, as the query engine names it.
    pub(crate) zone: &'a str,
    pub(crate) styles: Styles,
}

impl<'a> InSession<'a> {
    /// The session whose options these are.
    pub(crate) fn of(options: &'a ConfigOptions) -> Self {
        let zone = options.execution.time_zone.as_deref().unwrap_or("UTC");
        Self { zone, styles: Styles::of(options) }
    }
}

/// One that has chosen no styles.
impl<'a> From<&'a str> for InSession<'a> {
    fn from(zone: &'a str) -> Self {
        Self { zone, styles: Styles::default() }
    }
}

/// The key of a schema's metadata.
const KEY: &str = "fusewire.styles";

impl Styles {
    /// Those that the settings are, as they are shown: `ISO, MDY` and `postgres`.
    pub(crate) fn named(date_style: &str, interval_style: &str) -> Self {
        let mut styles = Self::default();
        for word in date_style.split(", ") {
            match word {
                "SQL" => styles.dates = DateStyle::Sql,
                "Postgres" => styles.dates = DateStyle::Postgres,
                "German" => styles.dates = DateStyle::German,
                "DMY" => styles.order = DateOrder::Day,
                "YMD" => styles.order = DateOrder::Year,
                _ => {}
            }
        }
        styles.intervals = match interval_style {
            "postgres_verbose" => IntervalStyle::Verbose,
            "sql_standard" => IntervalStyle::SqlStandard,
            "iso_8601" => IntervalStyle::Iso8601,
            _ => IntervalStyle::Postgres,
        };
        styles
    }

    /// The same with floats as the setting `extra_float_digits` says, of which 1 to 3 are the same.
    pub(crate) fn with_floats(self, extra_digits: &str) -> Self {
        let floats = match extra_digits.parse::<i8>() {
            Ok(extra @ ..=0) => FloatDigits::Fewer(extra.unsigned_abs()),
            _ => FloatDigits::Shortest,
        };
        Self { floats, ..self }
    }

    /// Those of the session whose options these are.
    pub(crate) fn of(options: &ConfigOptions) -> Self {
        options.extensions.get::<Self>().copied().unwrap_or_default()
    }

    /// Those of the session whose rows these are.
    pub(crate) fn of_rows(schema: &Schema) -> Self {
        let mut kept = schema.metadata().get(KEY).into_iter().flat_map(|kept| kept.split("; "));
        let mut next = || kept.next().unwrap_or_default();
        Self::named(next(), next()).with_floats(next())
    }

    /// The schema of rows, which says them where they are not those that nobody has chosen.
    pub(crate) fn said(self, mut schema: Schema) -> Schema {
        if self != Self::default() {
            schema.metadata.insert(KEY.to_owned(), self.shown());
        }
        schema
    }

    fn shown(self) -> String {
        let dates = match self.dates {
            DateStyle::Iso => "ISO",
            DateStyle::Sql => "SQL",
            DateStyle::Postgres => "Postgres",
            DateStyle::German => "German",
        };
        let order = match self.order {
            DateOrder::Month => "MDY",
            DateOrder::Day => "DMY",
            DateOrder::Year => "YMD",
        };
        let intervals = match self.intervals {
            IntervalStyle::Postgres => "postgres",
            IntervalStyle::Verbose => "postgres_verbose",
            IntervalStyle::SqlStandard => "sql_standard",
            IntervalStyle::Iso8601 => "iso_8601",
        };
        let floats = match self.floats {
            FloatDigits::Shortest => "1".to_owned(),
            FloatDigits::Fewer(digits) => format!("-{digits}"),
        };
        format!("{dates}, {order}; {intervals}; {floats}")
    }
}

impl ConfigExtension for Styles {
    const PREFIX: &'static str = "styles";
}

impl ExtensionOptions for Styles {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(*self)
    }

    /// They are set as the session's settings alone.
    fn set(&mut self, key: &str, _value: &str) -> Result<()> {
        exec_err!("there is no option styles.{key}; SET DateStyle, IntervalStyle or extra_float_digits")
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_say_the_styles_of_their_session() {
        for (dates, intervals, floats) in
            [("ISO, MDY", "postgres", "1"), ("German, DMY", "iso_8601", "-0"), ("SQL, YMD", "sql_standard", "-15")]
        {
            let styles = Styles::named(dates, intervals).with_floats(floats);
            assert_eq!(styles.shown(), format!("{dates}; {intervals}; {floats}"));
            assert_eq!(Styles::of_rows(&styles.said(Schema::empty())), styles);
        }
        assert!(Styles::default().said(Schema::empty()).metadata().is_empty());
        assert_eq!(Styles::of_rows(&Schema::empty()), Styles::default());
        assert_eq!(Styles::default().with_floats("3"), Styles::default());
    }
}
