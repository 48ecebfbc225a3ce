//! The templates of numbers: `FM999,990.00`.

use super::node::{self, Node};
use crate::fault::{Failure, Fault, Result};

/// A template, read once for all values.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) nodes: Vec<Node<Key>>,
    pub(super) facts: Facts,
}

/// What a keyword stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Comma,
    Point,
    /// A digit, and a zero where the number has none.
    Zero,
    /// A digit, and a blank where the number has none.
    Nine,
    Blank,
    CurrencyCode,
    LocalPoint,
    Exponent,
    Bare,
    LocalComma,
    Currency,
    Minus,
    Plus,
    Brackets,
    Roman {
        is_upper: bool,
    },
    PlusMinus,
    Spelled,
    Sign,
    Ordinal {
        is_upper: bool,
    },
    Shift,
}

/// Where the sign stands that `S` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum SignPlace {
    #[default]
    None,
    Before,
    Behind,
}

/// What a template says as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Facts {
    /// The digits before the point.
    pub(super) whole: usize,
    /// The digits behind it.
    pub(super) places: usize,
    /// The digits by which `V` moves the point.
    pub(super) shift: usize,
    /// How many digits stand before the first `0`, and how many up to the last.
    pub(super) first_zero: usize,
    pub(super) last_zero: usize,
    /// How many digits before the point stand before `S`.
    pub(super) before_sign: usize,
    pub(super) sign: SignPlace,
    pub(super) has_point: bool,
    pub(super) has_zero: bool,
    pub(super) has_blank: bool,
    pub(super) is_bare: bool,
    pub(super) has_sign: bool,
    pub(super) has_brackets: bool,
    pub(super) has_minus: bool,
    pub(super) has_plus: bool,
    pub(super) is_roman: bool,
    pub(super) has_shift: bool,
    pub(super) has_exponent: bool,
}

/// Those that begin with another stand before it.
const KEYS: &[(&str, Key)] = &[
    (",", Key::Comma),
    (".", Key::Point),
    ("0", Key::Zero),
    ("9", Key::Nine),
    ("B", Key::Blank),
    ("C", Key::CurrencyCode),
    ("D", Key::LocalPoint),
    ("EEEE", Key::Exponent),
    ("FM", Key::Bare),
    ("G", Key::LocalComma),
    ("L", Key::Currency),
    ("MI", Key::Minus),
    ("PL", Key::Plus),
    ("PR", Key::Brackets),
    ("RN", Key::Roman { is_upper: true }),
    ("SG", Key::PlusMinus),
    ("SP", Key::Spelled),
    ("S", Key::Sign),
    ("TH", Key::Ordinal { is_upper: true }),
    ("V", Key::Shift),
];

impl Picture {
    /// Refuses keywords that contradict each other.
    pub(super) fn parse(template: &str) -> Result<Self> {
        let mut facts = Facts::default();
        let nodes = node::nodes(template, |rest| {
            let Some((length, key)) = key(rest) else { return Ok((None, 0)) };
            facts.add(key)?;
            Ok((Some(key), length))
        })?;
        Ok(Self { nodes, facts })
    }
}

/// The keyword that a template begins with, in large or small letters.
fn key(template: &str) -> Option<(usize, Key)> {
    let is_it = |name: &str| {
        let text = template.get(..name.len()).unwrap_or_default();
        text == name || text == name.to_ascii_lowercase()
    };
    let (name, key) = KEYS.iter().find(|(name, _)| is_it(name))?;
    let is_upper = template.starts_with(name);
    let key = match key {
        Key::Roman { .. } => Key::Roman { is_upper },
        Key::Ordinal { .. } => Key::Ordinal { is_upper },
        other => *other,
    };
    Some((name.len(), key))
}

impl Facts {
    fn add(&mut self, key: Key) -> Result<()> {
        let refused = |message: &str| Err(Failure::new(Fault::Syntax, message));
        if self.has_exponent && key != Key::Exponent {
            return refused("\"EEEE\" must be the last pattern used");
        }
        match key {
            Key::Nine if self.has_brackets => return refused("\"9\" must be ahead of \"PR\""),
            Key::Nine if self.has_shift => self.shift += 1,
            Key::Nine => self.add_digit(),
            Key::Zero if self.has_brackets => return refused("\"0\" must be ahead of \"PR\""),
            Key::Zero => {
                if !self.has_zero && !self.has_point {
                    self.has_zero = true;
                    self.first_zero = self.whole;
                }
                self.add_digit();
                self.last_zero = self.whole + self.places;
            }
            Key::Blank => self.has_blank |= self.whole == 0 && self.places == 0 && !self.has_zero,
            Key::Point | Key::LocalPoint => {
                if self.has_point {
                    return refused("multiple decimal points");
                }
                if self.has_shift {
                    return refused("cannot use \"V\" and decimal point together");
                }
                self.has_point = true;
            }
            Key::Bare => self.is_bare = true,
            Key::Sign => return self.add_sign(),
            Key::Minus if self.has_sign => return refused("cannot use \"S\" and \"MI\" together"),
            Key::Minus => self.has_minus = true,
            Key::Plus if self.has_sign => return refused("cannot use \"S\" and \"PL\" together"),
            Key::Plus => self.has_plus = true,
            Key::PlusMinus if self.has_sign => return refused("cannot use \"S\" and \"SG\" together"),
            Key::PlusMinus => (self.has_minus, self.has_plus) = (true, true),
            Key::Brackets if self.has_sign || self.has_plus || self.has_minus => {
                return refused("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
            }
            Key::Brackets => self.has_brackets = true,
            Key::Roman { .. } => self.is_roman = true,
            Key::Shift if self.has_point => return refused("cannot use \"V\" and decimal point together"),
            Key::Shift => self.has_shift = true,
            Key::Exponent => return self.add_exponent(),
            Key::Comma | Key::LocalComma | Key::Currency | Key::CurrencyCode | Key::Spelled | Key::Ordinal { .. } => {}
        }
        Ok(())
    }

    fn add_digit(&mut self) {
        if self.has_point {
            self.places += 1;
        } else {
            self.whole += 1;
        }
    }

    fn add_sign(&mut self) -> Result<()> {
        if self.has_sign {
            return Err(Failure::new(Fault::Syntax, "cannot use \"S\" twice"));
        }
        if self.has_plus || self.has_minus || self.has_brackets {
            let message = "cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together";
            return Err(Failure::new(Fault::Syntax, message));
        }
        self.has_sign = true;
        if self.has_point {
            self.sign = SignPlace::Behind;
        } else {
            self.sign = SignPlace::Before;
            self.before_sign = self.whole;
        }
        Ok(())
    }

    fn add_exponent(&mut self) -> Result<()> {
        if self.has_exponent {
            return Err(Failure::new(Fault::Syntax, "cannot use \"EEEE\" twice"));
        }
        if self.has_blank
            || self.is_bare
            || self.has_sign
            || self.has_brackets
            || self.has_minus
            || self.has_plus
            || self.is_roman
            || self.has_shift
        {
            let message = "\"EEEE\" is incompatible with other formats; it may only be used together with digit and \
                           decimal point patterns";
            return Err(Failure::new(Fault::Syntax, message));
        }
        self.has_exponent = true;
        Ok(())
    }
}
