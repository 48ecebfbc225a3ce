//! Whole numbers of any length: their arithmetic, by hand, nine decimal digits at a time.

use std::cmp::Ordering;

/// What a group of digits counts to.
const BASE: u64 = 1_000_000_000;

/// The digits of a group.
const GROUP: usize = 9;

/// A whole number that is not below zero: its groups of digits, the least first, of which the last is not zero.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Natural(Vec<u64>);

impl Natural {
    pub(super) fn zero() -> Self {
        Self(Vec::new())
    }

    pub(super) fn one() -> Self {
        Self(vec![1])
    }

    pub(super) fn from_u128(mut number: u128) -> Self {
        let mut groups = Vec::new();
        while number != 0 {
            groups.push(u64::try_from(number % u128::from(BASE)).unwrap_or(0));
            number /= u128::from(BASE);
        }
        Self(groups)
    }

    /// Of decimal digits; none of anything else.
    pub(super) fn from_digits(digits: &str) -> Option<Self> {
        if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let groups = digits.as_bytes().rchunks(GROUP);
        let value = |group: &[u8]| group.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        Some(Self(groups.map(value).collect()).trimmed())
    }

    /// The number, if it has room.
    pub(super) fn to_u128(&self) -> Option<u128> {
        let add = |sum: u128, group: &u64| sum.checked_mul(u128::from(BASE))?.checked_add(u128::from(*group));
        self.0.iter().rev().try_fold(0, add)
    }

    /// About the number, and the power of ten that it is to be multiplied by; seventeen digits of it are right.
    pub(super) fn to_f64(&self) -> (f64, usize) {
        let left_out = self.0.len().saturating_sub(4);
        let kept = self.0.iter().skip(left_out).rev().fold(0.0, |sum, group| sum * 1e9 + group_to_f64(*group));
        (kept, left_out * GROUP)
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn is_odd(&self) -> bool {
        self.0.first().is_some_and(|group| group % 2 == 1)
    }

    /// How many digits it has; zero has none.
    pub(super) fn digits(&self) -> usize {
        match self.0.last() {
            Some(last) => (self.0.len() - 1) * GROUP + digits_of(*last),
            None => 0,
        }
    }

    /// How many zeros it ends with; zero ends with none.
    pub(super) fn trailing_zeros(&self) -> usize {
        let Some(at) = self.0.iter().position(|group| *group != 0) else { return 0 };
        let mut group = self.0[at];
        let mut zeros = at * GROUP;
        while group.is_multiple_of(10) {
            group /= 10;
            zeros += 1;
        }
        zeros
    }

    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let (long, short) = if self.0.len() >= other.0.len() { (self, other) } else { (other, self) };
        let mut sums = Vec::with_capacity(long.0.len() + 1);
        let mut carry = 0;
        for (at, group) in long.0.iter().enumerate() {
            let sum = group + short.0.get(at).copied().unwrap_or(0) + carry;
            carry = u64::from(sum >= BASE);
            sums.push(if carry == 1 { sum - BASE } else { sum });
        }
        sums.push(carry);
        Self(sums).trimmed()
    }

    /// Less another that is not greater.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let mut differences = Vec::with_capacity(self.0.len());
        let mut borrowed = 0;
        for (at, group) in self.0.iter().enumerate() {
            let less = other.0.get(at).copied().unwrap_or(0) + borrowed;
            borrowed = u64::from(*group < less);
            differences.push(if borrowed == 1 { group + BASE - less } else { group - less });
        }
        Self(differences).trimmed()
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        let mut products = vec![0; self.0.len() + other.0.len()];
        for (at, group) in self.0.iter().enumerate() {
            let mut carry = 0;
            for (place, factor) in products[at..].iter_mut().zip(other.0.iter().chain(std::iter::repeat(&0))) {
                let product = *place + group * factor + carry;
                (*place, carry) = (product % BASE, product / BASE);
            }
        }
        Self(products).trimmed()
    }

    /// Times a number of one group.
    fn times_group(&self, factor: u64) -> Self {
        let mut carry = 0;
        let product = |group: &u64| {
            let product = group * factor + carry;
            carry = product / BASE;
            product % BASE
        };
        let mut products: Vec<u64> = self.0.iter().map(product).collect();
        products.push(carry);
        Self(products).trimmed()
    }

    /// Divided by a number of one group that is not zero: the quotient and the rest.
    pub(super) fn divided_by_group(&self, divisor: u64) -> (Self, u64) {
        let mut quotient = vec![0; self.0.len()];
        let mut rest = 0;
        for (place, group) in quotient.iter_mut().zip(&self.0).rev() {
            let dividend = rest * BASE + group;
            (*place, rest) = (dividend / divisor, dividend % divisor);
        }
        (Self(quotient).trimmed(), rest)
    }

    /// The quotient and the rest of a division; by zero it is none.
    pub(super) fn divided(&self, divisor: &Self) -> Option<(Self, Self)> {
        match divisor.0.as_slice() {
            [] => None,
            [divisor] => {
                let (quotient, rest) = self.divided_by_group(*divisor);
                Some((quotient, Self(vec![rest]).trimmed()))
            }
            _ if self < divisor => Some((Self::zero(), self.clone())),
            _ => Some(self.divided_by_long(divisor)),
        }
    }

    /// Knuth's algorithm D (The Art of Computer Programming, volume 2, 4.3.1): each group of the quotient is guessed by the
    /// first groups, and is too great by two at most.
    fn divided_by_long(&self, divisor: &Self) -> (Self, Self) {
        let length = divisor.0.len();
        let factor = BASE / (divisor.0[length - 1] + 1);
        let divisor = divisor.times_group(factor);
        let mut rest = self.times_group(factor).0;
        rest.resize(self.0.len() + 1, 0);
        let (first, second) = (divisor.0[length - 1], divisor.0[length - 2]);
        let mut quotient = vec![0; rest.len() - length];
        for at in (0..quotient.len()).rev() {
            let leading = rest[at + length] * BASE + rest[at + length - 1];
            let (mut guess, mut left) = (leading / first, leading % first);
            while guess >= BASE || guess * second > left * BASE + rest[at + length - 2] {
                guess -= 1;
                left += first;
                if left >= BASE {
                    break;
                }
            }
            let (mut carry, mut borrowed) = (0, 0);
            for (place, group) in rest[at..=at + length].iter_mut().zip(divisor.0.iter().chain([&0])) {
                let product = guess * group + carry;
                carry = product / BASE;
                let less = product % BASE + borrowed;
                borrowed = u64::from(*place < less);
                *place = *place + borrowed * BASE - less;
            }
            if borrowed == 1 {
                guess -= 1;
                let mut carry = 0;
                for (place, group) in rest[at..=at + length].iter_mut().zip(divisor.0.iter().chain([&0])) {
                    let sum = *place + group + carry;
                    carry = sum / BASE;
                    *place = sum % BASE;
                }
            }
            quotient[at] = guess;
        }
        (Self(quotient).trimmed(), Self(rest).trimmed().divided_by_group(factor).0)
    }

    /// Times a power of ten.
    pub(super) fn times_power(&self, power: usize) -> Self {
        if self.is_zero() {
            return Self::zero();
        }
        let mut groups = vec![0; power / GROUP];
        groups.extend(self.times_group(ten_to(power % GROUP)).0);
        Self(groups)
    }

    /// Divided by a power of ten: the quotient, and what the rest is to half of the divisor; `None` if there is no rest.
    pub(super) fn divided_by_power(&self, power: usize) -> (Self, Option<Ordering>) {
        if power == 0 {
            return (self.clone(), None);
        }
        let (groups, digits) = (power / GROUP, power % GROUP);
        let whole = Self(self.0.iter().skip(groups).copied().collect());
        let left_out = Self(self.0.iter().take(groups).copied().collect()).trimmed();
        let (quotient, rest) = whole.divided_by_group(ten_to(digits));
        let rest = Self(vec![rest]).trimmed().times_power(groups * GROUP).plus(&left_out);
        if rest.is_zero() {
            return (quotient, None);
        }
        let half = Self(vec![5]).times_power(power - 1);
        (quotient, Some(rest.cmp(&half)))
    }

    /// The quotient of a division, half up.
    pub(super) fn divided_half_up(&self, divisor: &Self) -> Option<Self> {
        let (quotient, rest) = self.divided(divisor)?;
        Some(if rest.plus(&rest) >= *divisor { quotient.plus(&Self::one()) } else { quotient })
    }

    /// The whole part of the square root, by Newton's method.
    pub(super) fn root(&self) -> Self {
        if self.is_zero() {
            return Self::zero();
        }
        let mut root = Self::one().times_power(self.digits().div_ceil(2));
        while let Some((quotient, _)) = self.divided(&root) {
            let next = root.plus(&quotient).divided_by_group(2).0;
            if next >= root {
                break;
            }
            root = next;
        }
        root
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl std::fmt::Display for Natural {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut groups = self.0.iter().rev();
        write!(formatter, "{}", groups.next().unwrap_or(&0))?;
        groups.try_for_each(|group| write!(formatter, "{group:09}"))
    }
}

fn ten_to(power: usize) -> u64 {
    (0..power).fold(1, |product, _| product * 10)
}

fn digits_of(group: u64) -> usize {
    group.checked_ilog10().and_then(|log| usize::try_from(log).ok()).map_or(0, |log| log + 1)
}

fn group_to_f64(group: u64) -> f64 {
    u32::try_from(group).map_or(0.0, f64::from)
}
