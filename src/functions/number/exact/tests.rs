//! The operations beside PostgreSQL's.

use std::cmp::Ordering;

use super::*;

/// Of random operands.
const ANSWERS: &str = include_str!("answers.txt");

fn number(text: &str) -> Decimal {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    Decimal::from_digits(&format!("{whole}{places}"), places.len()).unwrap()
}

fn places(number: &Decimal) -> i64 {
    i64::try_from(number.to_i128().unwrap()).unwrap()
}

fn computed(operation: &str, one: &Decimal, two: &Decimal) -> Result<Decimal, Undefined> {
    let digits = |digits: usize| Decimal::new(i128::try_from(digits).unwrap(), 0);
    Ok(match operation {
        "add" => one.plus(two),
        "sub" => one.minus(two),
        "mul" => one.times(two),
        "div" => one.divided(two, one.quotient_scale(two))?,
        "idiv" => one.divided_whole(two)?.0,
        "mod" => one.divided_whole(two)?.1,
        "gcd" => one.common_divisor(two),
        "lcm" => one.common_multiple(two),
        "sqrt" => one.root(one.root_scale())?,
        "exp" => exp(one, exp_scale(one))?,
        "ln" => ln(one, ln_scale(one))?,
        "log" => log(one, two, log_scale(one, two))?,
        "pow" => power(one, two, power_scale(one, two))?,
        "round" => one.rounded_at(places(two), Rounding::Nearest),
        "trunc" => one.rounded_at(places(two), Rounding::TowardsZero),
        "ceil" => one.rounded(0, Rounding::Up),
        "floor" => one.rounded(0, Rounding::Down),
        "min_scale" => digits(one.min_scale()),
        "cmp" => Decimal::new(
            match one.cmp(two) {
                Ordering::Less => -1,
                Ordering::Equal => 0,
                Ordering::Greater => 1,
            },
            0,
        ),
        other => panic!("{other} is no operation"),
    })
}

fn sqlstate(undefined: Undefined) -> &'static str {
    match undefined {
        Undefined::Overflow => "E22003",
        Undefined::DivisionByZero => "E22012",
        Undefined::LogarithmOfZero | Undefined::LogarithmOfNegative => "E2201E",
        Undefined::RootOfNegative | Undefined::Complex | Undefined::ZeroToNegative => "E2201F",
    }
}

#[test]
fn results_and_their_scales_are_those_of_postgresql() {
    for line in ANSWERS.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.split(' ').collect();
        let [operation, one, two, expected] = parts.try_into().unwrap();
        let result = computed(operation, &number(one), &number(two));
        let shown = result.map_or_else(|undefined| sqlstate(undefined).to_owned(), |result| result.to_string());
        assert_eq!(shown, expected, "{operation} {one} {two}");
    }
}

#[test]
fn quotients_of_long_numbers_multiply_back() {
    // Linear congruences make the digits; those that begin with the greatest group test the guesses of the division.
    let mut state: u128 = 7;
    let mut next = |digits: usize| {
        let mut text = String::new();
        while text.len() < digits {
            state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % (1 << 64);
            text.push_str(if state.is_multiple_of(3) { "999999999" } else { "000000000" });
            text.push_str(&state.to_string());
        }
        number(&text[..digits])
    };
    for round in 0..500 {
        let (dividend, divisor) = (next(20 + round % 90), next(1 + round % 60));
        let Ok((quotient, rest)) = dividend.divided_whole(&divisor) else { continue };
        assert_eq!(quotient.times(&divisor).plus(&rest), dividend, "round {round}");
        assert!(rest < divisor, "round {round}");
    }
}
