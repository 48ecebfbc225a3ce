//! Words in the texts of dates and times.

use super::{
    CLOCK, DATE, DAY, ERA, HALF, InZone, Kind, MONTH, Moment, Reader, Result, SPECIAL, SUMMER, Unfit, Unit, WEEKDAY,
    Word, ZONE, word,
};
use crate::pgtype::{
    calendar::{MICROS_A_SECOND, civil},
    read::tokens::Field,
    zone::Abbreviation,
};

impl Reader<'_> {
    pub(super) fn word_field(&mut self, at: usize, fields: &[Field<'_>]) -> Result<u32> {
        let Some(field) = fields.get(at) else { return Err(Unfit::Syntax) };
        let Some(found) = word(&field.text) else {
            // A zone whose name is a word.
            if !self.around.is_zone(field.written) {
                return Err(Unfit::Syntax);
            }
            return self.named_zone(field.written);
        };
        let is_clock = self.is_clock;
        Ok(match found {
            Word::Filler => 0,
            Word::Now => {
                let (day, micros) = self.around.now();
                self.special = None;
                self.set_day(day);
                self.set_clock(micros);
                if is_clock { CLOCK } else { DATE | CLOCK | ZONE }
            }
            Word::Day(distance) if !is_clock => {
                let (day, _) = self.around.now();
                self.special = None;
                self.set_day(day + i64::from(distance));
                DATE
            }
            Word::Midnight => {
                self.set_clock(0);
                self.zone = Some(InZone::Fixed(0));
                CLOCK | ZONE
            }
            Word::Epoch if !is_clock => {
                self.special = Some(Moment { day: 0, micros: 0, zone: Some(InZone::Fixed(0)) });
                SPECIAL
            }
            Word::Infinite { is_before } if !is_clock => {
                self.special = Some(if is_before { Moment::FIRST } else { Moment::LAST });
                SPECIAL
            }
            Word::Month(month) if !is_clock => {
                let mut found = MONTH;
                // The number before it was the day then.
                if self.has(MONTH) && !self.is_named && !self.has(DAY) && (1..=31).contains(&self.month) {
                    self.day = self.month;
                    found = DAY;
                }
                self.is_named = true;
                self.month = i64::from(month);
                found
            }
            Word::Weekday if !is_clock => WEEKDAY,
            Word::Afternoon(afternoon) => {
                self.afternoon = Some(afternoon);
                HALF
            }
            Word::BeforeChrist(before) => {
                self.before_christ = before;
                ERA
            }
            Word::Unit(unit) => {
                self.next = Some(unit);
                0
            }
            Word::Clock => {
                let is_sensible = is_clock || self.has(DATE);
                let follows = fields.get(at + 1).map(|next| next.kind);
                if !is_sensible || !matches!(follows, Some(Kind::Number | Kind::Clock | Kind::Date)) {
                    return Err(Unfit::Syntax);
                }
                self.next = Some(Unit::Clock);
                0
            }
            Word::Zone(found) => {
                self.zone = Some(match found {
                    Abbreviation::Minutes(minutes) => InZone::Fixed(minutes * 60),
                    other => InZone::Abbreviated(other),
                });
                ZONE
            }
            Word::Summer => {
                if let Some(InZone::Fixed(seconds)) = &mut self.zone {
                    *seconds += 3_600;
                }
                SUMMER
            }
            _ => return Err(Unfit::Syntax),
        })
    }

    fn set_day(&mut self, day: i64) {
        (self.year, self.month, self.day) = civil(day);
        self.is_julian = true;
    }

    fn set_clock(&mut self, micros: i64) {
        self.hour = micros / (3_600 * MICROS_A_SECOND);
        self.minute = micros / (60 * MICROS_A_SECOND) % 60;
        self.second = micros / MICROS_A_SECOND % 60;
        self.micros = micros % MICROS_A_SECOND;
    }
}
