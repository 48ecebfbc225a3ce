//! `justify_hours`, `justify_days` and `justify_interval`: hours as days, and days as months of thirty.
//!
//! ```sql
//! SELECT justify_interval('2 months -1 hour')
//! ```

use arrow::{array::ArrayRef, datatypes::IntervalMonthDayNano};

use super::calendar::{MICROS_PER_DAY, NANOS_PER_MICRO, interval_out_of_range};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::INTERVAL,
};

const NANOS_PER_DAY: i64 = MICROS_PER_DAY * NANOS_PER_MICRO;
const DAYS_PER_MONTH: i64 = 30;

pub(super) static JUSTIFY_HOURS: Function = Function {
    name: "justify_hours",
    purpose: "The interval with days for each 24 of its hours",
    example: "justify_hours('48 hours')",
    shows: "2 days",
    overloads: &[Overload::new(&[INTERVAL], INTERVAL, |call| each(call, hours))],
};

pub(super) static JUSTIFY_DAYS: Function = Function {
    name: "justify_days",
    purpose: "The interval with months for each 30 of its days",
    example: "justify_days('65 days')",
    shows: "2 mons 5 days",
    overloads: &[Overload::new(&[INTERVAL], INTERVAL, |call| each(call, days))],
};

pub(super) static JUSTIFY_INTERVAL: Function = Function {
    name: "justify_interval",
    purpose: "The interval with days for hours and months for days, and one sign",
    example: "justify_interval('1 month -24 hours')",
    shows: "29 days",
    overloads: &[Overload::new(&[INTERVAL], INTERVAL, |call| each(call, all))],
};

/// The fields of an interval, with room for what comes to them.
struct Fields {
    months: i64,
    days: i64,
    nanos: i64,
}

fn each(call: &Call<'_>, justify: fn(&mut Fields)) -> Result<ArrayRef> {
    let intervals = call.intervals(0)?;
    call.interval_of(|row| justified(intervals.value(row), justify).map(Some))
}

fn justified(interval: IntervalMonthDayNano, justify: fn(&mut Fields)) -> Result<IntervalMonthDayNano> {
    let IntervalMonthDayNano { months, days, nanoseconds } = interval;
    let mut fields = Fields { months: months.into(), days: days.into(), nanos: nanoseconds };
    justify(&mut fields);
    let small = |field: i64| i32::try_from(field).map_err(|_| interval_out_of_range());
    Ok(IntervalMonthDayNano::new(small(fields.months)?, small(fields.days)?, fields.nanos))
}

fn hours(fields: &mut Fields) {
    fields.hours_to_days();
    fields.one_sign_of_days();
}

fn days(fields: &mut Fields) {
    fields.days_to_months();
    if fields.months > 0 && fields.days < 0 {
        fields.borrow_month(1);
    } else if fields.months < 0 && fields.days > 0 {
        fields.borrow_month(-1);
    }
}

fn all(fields: &mut Fields) {
    fields.hours_to_days();
    fields.days_to_months();
    let below = (fields.days, fields.nanos);
    if fields.months > 0 && below < (0, 0) {
        fields.borrow_month(1);
    } else if fields.months < 0 && below > (0, 0) {
        fields.borrow_month(-1);
    }
    fields.one_sign_of_days();
}

impl Fields {
    fn hours_to_days(&mut self) {
        self.days += self.nanos / NANOS_PER_DAY;
        self.nanos %= NANOS_PER_DAY;
    }

    fn days_to_months(&mut self) {
        self.months += self.days / DAYS_PER_MONTH;
        self.days %= DAYS_PER_MONTH;
    }

    /// Takes a month apart.
    fn borrow_month(&mut self, sign: i64) {
        self.months -= sign;
        self.days += sign * DAYS_PER_MONTH;
    }

    /// Takes a day apart where the time has another sign.
    fn one_sign_of_days(&mut self) {
        if self.days.signum() * self.nanos.signum() < 0 {
            let sign = self.days.signum();
            self.days -= sign;
            self.nanos += sign * NANOS_PER_DAY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn fields_get_one_sign() {
        let hour = 3_600_000_000_000;
        let of = |justify: fn(&mut Fields), (months, days, hours): (i32, i32, i64)| {
            let interval = IntervalMonthDayNano::new(months, days, hours * hour);
            justified(interval, justify).map(|of| (of.months, of.days, of.nanoseconds / hour)).ok()
        };
        assert_eq!(of(hours, (1, 2, -49)), Some((1, 0, -1)));
        assert_eq!(of(hours, (0, 3, -49)), Some((0, 0, 23)));
        assert_eq!(of(days, (1, -35, 5)), Some((0, -5, 5)));
        assert_eq!(of(days, (2, -35, 5)), Some((0, 25, 5)));
        assert_eq!(of(all, (1, 0, -1)), Some((0, 29, 23)));
        assert_eq!(of(all, (-1, 0, 1)), Some((0, -29, -23)));
        assert_eq!(of(all, (1, -30, 1)), Some((0, 0, 1)));
        assert_eq!(of(all, (2, 65, -100)), Some((4, 0, 20)));
        assert_eq!(of(days, (i32::MAX, 60, 0)), None);
    }
}
