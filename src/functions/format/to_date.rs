//! `to_date` and `to_timestamp`: the date or the instant that a text says as a template has it. `to_timestamp` of a number is
//! the instant so many seconds after 1970 began.
//!
//! ```sql
//! SELECT to_date('06 May 2024', 'DD Mon YYYY'), to_timestamp('6.5.2024 17:08', 'DD.MM.YYYY HH24:MI'), to_timestamp(1715008080)
//! ```

use arrow::array::ArrayRef;

use super::{Last, template::Template};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload, time::OF_SECONDS},
    pgtype::{DATE, TEXT, TIMESTAMPTZ, Zone, calendar::MICROS_A_SECOND},
};

pub(super) static TO_DATE: Function = Function {
    name: "to_date",
    purpose: "The date that a text says as a template has it",
    example: "to_date('06 May 2024', 'DD Mon YYYY')",
    shows: "2024-05-06",
    overloads: &[Overload::new(&[TEXT, TEXT], DATE, to_date).stable()],
};

pub(super) static TO_TIMESTAMP: Function = Function {
    name: "to_timestamp",
    purpose: "The instant that a text says as a template has it, or so many seconds after 1970",
    example: "to_timestamp('06.05.2024 17:08 +02', 'DD.MM.YYYY HH24:MI TZH')",
    shows: "2024-05-06 15:08:00+00",
    overloads: &[OF_SECONDS, Overload::new(&[TEXT, TEXT], TIMESTAMPTZ, to_timestamp).stable()],
};

fn to_date(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, templates) = (call.texts(0)?, call.texts(1)?);
    let mut last = Last::new(Template::parse);
    call.date_of(|row| {
        let text = texts.value(row);
        last.of(templates.value(row))?.read(text)?.dated(text)?.days(text).map(Some)
    })
}

fn to_timestamp(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, templates, zone) = (call.texts(0)?, call.texts(1)?, Zone::of_session(call.zone()));
    let mut last = Last::new(Template::parse);
    call.timestamp_of(|row| {
        let text = texts.value(row);
        let dated = last.of(templates.value(row))?.read(text)?.dated(text)?;
        dated.instant(|shown| zone.seconds_where(shown.saturating_mul(MICROS_A_SECOND))).map(Some)
    })
}
