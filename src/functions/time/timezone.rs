//! `AT TIME ZONE`: what the clocks of a zone show at an instant, and the instant at which they show it.
//!
//! ```sql
//! SELECT now() AT TIME ZONE 'Europe/Berlin', timezone('America/Denver', TIMESTAMP '2024-07-01 18:00:00')
//! ```

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, IntervalMonthDayNanoArray},
    datatypes::IntervalMonthDayNano,
};

use super::{
    calendar::{MICROS_PER_SECOND, NANOS_PER_MICRO, is_infinite},
    timetz::{near, now},
    zones::{instant_of, named_in, shown_at},
};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{INTERVAL, TEXT, TIMESTAMP, TIMESTAMPTZ, TIMETZ, Zone, ZonedTime},
    print::{self, Form},
};

pub(super) static TIMEZONE: Function = Function {
    name: "timezone",
    purpose: "What the clocks of a zone show at an instant, and the instant at which they show it: AT TIME ZONE",
    example: "timezone('Asia/Tokyo', timestamptz '2024-02-29 12:00:00+00')",
    shows: "2024-02-29 21:00:00",
    overloads: &[
        Overload::new(&[TEXT, TIMESTAMPTZ], TIMESTAMP, |call| turned(call, named_in(call, 0)?, shown_at)),
        Overload::new(&[TEXT, TIMESTAMP], TIMESTAMPTZ, |call| turned(call, named_in(call, 0)?, instant_of)),
        Overload::new(&[INTERVAL, TIMESTAMPTZ], TIMESTAMP, |call| turned(call, distant(call)?, shown_at)),
        Overload::new(&[INTERVAL, TIMESTAMP], TIMESTAMPTZ, |call| turned(call, distant(call)?, instant_of)),
        Overload::new(&[TEXT, TIMETZ], TIMETZ, |call| shown(call, named_in(call, 0)?)),
        Overload::new(&[INTERVAL, TIMETZ], TIMETZ, |call| shown(call, distant(call)?)),
    ],
};

fn turned(
    call: &Call<'_>,
    zone_of: impl Fn(usize) -> Result<Zone>,
    turn: fn(Zone, i64) -> Result<i64>,
) -> Result<ArrayRef> {
    let times = call.timestamps(1)?;
    call.timestamp_of(|row| {
        let time = times.value(row);
        // What is before or after all others is so in each zone, and also where there is none of that name.
        if is_infinite(time) { Ok(Some(time)) } else { turn(zone_of(row)?, time).map(Some) }
    })
}

/// What the clocks of a zone show today when those of another show a time.
fn shown(call: &Call<'_>, zone_of: impl Fn(usize) -> Result<Zone>) -> Result<ArrayRef> {
    let (times, now) = (call.zoned_times(1)?, now());
    call.zoned_time_of(|row| {
        let east = near(zone_of(row)?.seconds_at(now))?;
        Ok(Some(ZonedTime::of_utc(times.value(row)?.utc(), east)))
    })
}

fn distant(call: &Call<'_>) -> Result<impl Fn(usize) -> Result<Zone>> {
    let distances = call.intervals(0)?;
    Ok(move |row| at_distance(distances.value(row)))
}

/// The zone so far to the east of UTC, in whole seconds.
fn at_distance(distance: IntervalMonthDayNano) -> Result<Zone> {
    let refused = |message| Failure::new(Fault::InvalidArgument, message);
    let written = || {
        let distance: ArrayRef = Arc::new(IntervalMonthDayNanoArray::from(vec![distance]));
        print::texts(&distance, Form::default()).map_or_else(|_| String::new(), |texts| texts.value(0).to_owned())
    };
    if distance.months != 0 || distance.days != 0 {
        return Err(refused(format!("interval time zone \"{}\" must not include months or days", written())));
    }
    let seconds = distance.nanoseconds / NANOS_PER_MICRO / MICROS_PER_SECOND;
    let is_near = i32::try_from(seconds).is_ok();
    is_near
        .then(|| Zone::fixed(seconds))
        .ok_or_else(|| refused(format!("interval time zone \"{}\" out of range", written())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PostgreSQL 15: AT TIME ZONE INTERVAL '…'.
    #[test]
    fn zones_may_be_distances() {
        let of = |months, days, seconds: i64| {
            let zone = at_distance(IntervalMonthDayNano::new(months, days, seconds * 1_000_000_000));
            zone.map(|zone| zone.seconds_at(0)).map_err(|error| error.to_string())
        };
        assert_eq!(of(0, 0, -9_015), Ok(-9_015));
        let refused = "interval time zone \"1 day 02:00:00\" must not include months or days";
        assert_eq!(of(0, 1, 7_200), Err(refused.to_owned()));
    }
}
