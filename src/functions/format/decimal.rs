//! Exact decimals as texts of digits: moved, rounded and written with an exponent.

/// Digits, of which the last so many stand behind the point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    is_negative: bool,
    /// Without zeros before the first other digit.
    digits: String,
    places: usize,
}

impl Decimal {
    /// A whole number divided by ten to the scale.
    pub(super) fn new(unscaled: &str, scale: i32) -> Self {
        let (is_negative, digits) = match unscaled.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, unscaled),
        };
        let digits = digits.trim_start_matches('0');
        let mut digits = digits.to_owned();
        if scale < 0 && !digits.is_empty() {
            digits.push_str(&zeros(usize::try_from(scale.unsigned_abs()).unwrap_or_default()));
        }
        Self { is_negative: is_negative && !digits.is_empty(), digits, places: usize::try_from(scale).unwrap_or(0) }
    }

    /// Multiplied by ten so many times.
    pub(super) fn shifted(mut self, by: usize) -> Self {
        let missing = by.saturating_sub(self.places);
        self.places = self.places.saturating_sub(by);
        if !self.digits.is_empty() {
            self.digits.push_str(&zeros(missing));
        }
        self
    }

    /// With so many digits behind the point, halves away from zero.
    pub(super) fn rounded(mut self, places: usize) -> Self {
        if places >= self.places {
            if !self.digits.is_empty() {
                self.digits.push_str(&zeros(places - self.places));
            }
        } else {
            let cut = self.places - places;
            if cut > self.digits.len() {
                self.digits.clear();
            } else {
                let rest = self.digits.split_off(self.digits.len() - cut);
                if rest.as_bytes().first().is_some_and(|first| *first >= b'5') {
                    self.digits = incremented(&self.digits);
                }
            }
        }
        self.places = places;
        self.is_negative &= !self.digits.is_empty();
        self
    }

    /// The whole number that it is, divided by ten to the number of its places.
    pub(super) fn unscaled(&self) -> String {
        let digits = if self.digits.is_empty() { "0" } else { &self.digits };
        format!("{}{digits}", if self.is_negative { "-" } else { "" })
    }

    /// How many digits that has.
    pub(super) fn precision(&self) -> usize {
        self.digits.len()
    }

    /// As it is written, all of its places with it.
    pub(super) fn text(&self) -> String {
        let digits = format!("{:0>width$}", self.digits, width = self.places + 1);
        let (whole, behind) = digits.split_at(digits.len() - self.places);
        let sign = if self.is_negative { "-" } else { "" };
        if behind.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{behind}") }
    }

    /// With an exponent, and so many digits behind the point. What rounds up to ten stays so.
    pub(super) fn scientific(&self, places: usize) -> String {
        let sign = if self.is_negative { "-" } else { "" };
        let exponent = match i64::try_from(self.digits.len()).unwrap_or(i64::MAX) {
            0 => 0,
            length => length - 1 - i64::try_from(self.places).unwrap_or(i64::MAX),
        };
        let mantissa = Self { is_negative: false, digits: self.digits.clone(), places: self.digits.len().max(1) - 1 };
        format!("{sign}{}e{exponent:+03}", mantissa.rounded(places).text())
    }
}

/// The next whole number.
fn incremented(digits: &str) -> String {
    let kept = digits.trim_end_matches('9');
    let nines = digits.len() - kept.len();
    let mut kept = kept.to_owned();
    let last = kept.pop().unwrap_or('0');
    let next = last.to_digit(10).and_then(|digit| char::from_digit(digit + 1, 10)).unwrap_or('1');
    format!("{kept}{next}{}", zeros(nines))
}

fn zeros(count: usize) -> String {
    "0".repeat(count)
}
