//! `format`: a text with the values of its arguments in its places.
//!
//! ```sql
//! SELECT format('INSERT INTO %I VALUES (%L, %2$s)', 'a table', 'it''s')
//! ```

use arrow::array::{Array, ArrayRef, StringArray};

use super::{printed, quote_ident, quote_literal};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload, array::Lists},
    interrupt::step,
    pgtype::{ANY, ANYARRAY, TEXT},
    print,
};

pub(super) static FORMAT: Function = Function {
    name: "format",
    purpose: "The text with values in place of %s, as names in that of %I and as literals in that of %L",
    example: "format('%s, %I, %L', 'a', 'b c', 'it''s')",
    shows: "a, \"b c\", 'it''s'",
    overloads: &[
        Overload::new(&[TEXT], TEXT, format).stable(),
        Overload::new(&[TEXT, ANY], TEXT, format).variadic().called_on_null().stable(),
    ],
};

/// The same with the elements of an array, which VARIADIC gives.
pub(super) static FORMAT_OF: Function = Function {
    name: "format_of",
    purpose: "The text with the elements of an array in place of %s, as names in that of %I and as literals in that of %L",
    example: "format_of('%s, %I', ARRAY['a', 'b c'])",
    shows: "a, \"b c\"",
    overloads: &[Overload::new(&[TEXT, ANYARRAY], TEXT, format_elements).called_on_null().stable()],
};

/// The longest text of a call.
const LIMIT_BYTES: usize = 1 << 30;

fn format(call: &Call<'_>) -> Result<ArrayRef> {
    let templates = call.texts(0)?;
    let values = (1..call.len()).map(|at| printed(call, at)).collect::<Result<Vec<StringArray>>>()?;
    call.text_of(|row| {
        if templates.is_null(row) {
            return Ok(None);
        }
        let values: Vec<Option<&str>> =
            values.iter().map(|values| values.is_valid(row).then(|| values.value(row))).collect();
        filled(templates.value(row), &values).map(Some)
    })
}

fn format_elements(call: &Call<'_>) -> Result<ArrayRef> {
    let (templates, lists) = (call.texts(0)?, Lists::of(call.argument(1)?)?);
    let texts = print::texts(&lists.leaves, print::Form::of_session(call.zone(), call.styles()))?;
    call.text_of(|row| {
        if templates.is_null(row) {
            return Ok(None);
        }
        let elements = lists.array(row).map_or(0..0, |array| array.elements);
        let values: Vec<Option<&str>> = elements.map(|at| texts.is_valid(at).then(|| texts.value(at))).collect();
        filled(templates.value(row), &values).map(Some)
    })
}

/// What stands between a percent sign and the letter that ends it.
#[derive(Debug, Default)]
struct Place {
    /// The argument, from 1 on; none: the next.
    argument: Option<usize>,
    is_left: bool,
    width: Width,
}

#[derive(Debug)]
enum Width {
    Fixed(i32),
    /// That of an argument, from 1 on, or of the next.
    Of(Option<usize>),
}

impl Default for Width {
    fn default() -> Self {
        Self::Fixed(0)
    }
}

/// A template while it is read.
struct Template<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

fn filled(template: &str, values: &[Option<&str>]) -> Result<String> {
    let mut text = String::with_capacity(template.len());
    let mut template = Template { rest: template.chars().peekable() };
    // The argument that was taken last, from 1 on.
    let mut last = 0;
    while let Some(character) = template.rest.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        if template.current()? == '%' {
            text.push('%');
            template.rest.next();
            continue;
        }
        step()?;
        let place = template.place()?;
        let letter = template.current()?;
        template.rest.next();
        if !matches!(letter, 's' | 'I' | 'L') {
            return Err(invalid(format!("unrecognized format() type specifier \"{letter}\"")));
        }
        let mut take = |argument: Option<usize>| {
            last = argument.unwrap_or(last + 1);
            let value = last.checked_sub(1).and_then(|at| values.get(at));
            value.copied().ok_or_else(|| invalid("too few arguments for format()".to_owned()))
        };
        let width = match place.width {
            Width::Fixed(width) => width,
            Width::Of(argument) => take(argument)?.map_or(Ok(0), width_of)?,
        };
        let value = take(place.argument)?;
        let shown = match (letter, value) {
            ('s', value) => value.unwrap_or_default().to_owned(),
            ('L', value) => value.map_or_else(|| "NULL".to_owned(), quote_literal::quoted),
            (_, Some(value)) => quote_ident::quoted(value),
            (_, None) => {
                let message = "null values cannot be formatted as an SQL identifier";
                return Err(Failure::new(Fault::NullNotAllowed, message));
            }
        };
        push_padded(&mut text, &shown, width, place.is_left)?;
    }
    Ok(text)
}

impl Template<'_> {
    /// The character that comes next.
    fn current(&mut self) -> Result<char> {
        let unterminated = || invalid("unterminated format() type specifier".to_owned());
        self.rest.peek().copied().ok_or_else(unterminated)
    }

    fn place(&mut self) -> Result<Place> {
        let mut place = Place::default();
        if let Some(number) = self.number()? {
            if self.current()? != '$' {
                place.width = Width::Fixed(number);
                return Ok(place);
            }
            self.rest.next();
            place.argument = Some(argument(number)?);
        }
        while self.current()? == '-' {
            place.is_left = true;
            self.rest.next();
        }
        if self.current()? == '*' {
            self.rest.next();
            let number = self.number()?;
            if number.is_some() {
                if self.current()? != '$' {
                    return Err(invalid("width argument position must be ended by \"$\"".to_owned()));
                }
                self.rest.next();
            }
            place.width = Width::Of(number.map(argument).transpose()?);
        } else if let Some(number) = self.number()? {
            place.width = Width::Fixed(number);
        }
        Ok(place)
    }

    /// The number that comes next, behind which something must follow.
    fn number(&mut self) -> Result<Option<i32>> {
        let mut number = None;
        while let Some(digit) = self.current()?.to_digit(10).and_then(|digit| i32::try_from(digit).ok()) {
            let more = number.unwrap_or(0_i32).checked_mul(10).and_then(|tens| tens.checked_add(digit));
            number = Some(more.ok_or_else(out_of_range)?);
            self.rest.next();
        }
        Ok(number)
    }
}

fn argument(number: i32) -> Result<usize> {
    match usize::try_from(number) {
        Ok(at) if at > 0 => Ok(at),
        _ => Err(invalid("format specifies argument 0, but arguments are numbered from 1".to_owned())),
    }
}

/// A width that an argument says.
fn width_of(text: &str) -> Result<i32> {
    let invalid = || Failure::new(Fault::InvalidText, format!("invalid input syntax for type integer: \"{text}\""));
    text.trim().parse().map_err(|_| invalid())
}

/// A width below zero is one with the text on its left.
fn push_padded(text: &mut String, shown: &str, width: i32, is_left: bool) -> Result<()> {
    let wanted = usize::try_from(width.checked_abs().ok_or_else(out_of_range)?).unwrap_or_default();
    let blanks = wanted.saturating_sub(shown.chars().count());
    if text.len() + shown.len() + blanks > LIMIT_BYTES {
        return Err(Failure::new(Fault::LimitExceeded, "requested length too large"));
    }
    let (before, after) = if is_left || width < 0 { (0, blanks) } else { (blanks, 0) };
    text.extend(std::iter::repeat_n(' ', before));
    text.push_str(shown);
    text.extend(std::iter::repeat_n(' ', after));
    Ok(())
}

fn out_of_range() -> Failure {
    Failure::new(Fault::NumericOutOfRange, "number is out of range")
}

fn invalid(message: String) -> Failure {
    Failure::new(Fault::InvalidArgument, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn values_stand_in_their_places() {
        for (template, values, expected) in [
            ("%s %I %L %%", &[Some("a"), Some("b c"), Some("d'e")][..], "a \"b c\" 'd''e' %"),
            ("%2$s %1$s", &[Some("a"), Some("b")], "b a"),
            ("%1$s %s", &[Some("a"), Some("b")], "a b"),
            ("%3$s %s", &[Some("a"), Some("b"), Some("c"), Some("d")], "c d"),
            ("|%10s|%-5s|", &[Some("x"), Some("y")], "|         x|y    |"),
            ("|%*s|%-*s|", &[Some("5"), Some("x"), Some("3"), Some("y")], "|    x|y  |"),
            ("|%*s|", &[Some("-5"), Some("x")], "|x    |"),
            ("%2$*1$s|", &[Some("5"), Some("x")], "    x|"),
            ("|%*s|", &[None, Some("x")], "|x|"),
            ("|%5L|%s|", &[None, None], "| NULL||"),
            ("|%--5s|%1$-4s|", &[Some("é")], "|é    |é   |"),
            ("plain", &[], "plain"),
        ] {
            assert_eq!(filled(template, values).unwrap(), expected, "{template}");
        }
    }

    /// As PostgreSQL 15 says them.
    #[test]
    fn what_is_no_place_is_told() {
        for (template, value, told) in [
            ("%y", Some("a"), "unrecognized format() type specifier \"y\""),
            ("%", Some("a"), "unterminated format() type specifier"),
            ("%1$", Some("a"), "unterminated format() type specifier"),
            ("%1", Some("a"), "unterminated format() type specifier"),
            ("%0$s", Some("a"), "format specifies argument 0, but arguments are numbered from 1"),
            ("%*0$s", Some("a"), "format specifies argument 0, but arguments are numbered from 1"),
            ("%*1s", Some("a"), "width argument position must be ended by \"$\""),
            ("%s %s", Some("a"), "too few arguments for format()"),
            ("%2$s", Some("a"), "too few arguments for format()"),
            ("%I", None, "null values cannot be formatted as an SQL identifier"),
            ("%99999999999s", Some("a"), "number is out of range"),
        ] {
            assert_eq!(filled(template, &[value]).unwrap_err().to_string(), told, "{template}");
        }
    }
}
