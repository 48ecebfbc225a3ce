//! PostgreSQL's regular expressions, written as those of the library that matches them.
//!
//! In the library's a dot is no end of line, brackets nest, classes such as `[:alpha:]` are those of ASCII, `\m` and `\Z` are
//! unknown and `\z` is not. What it has no words for, such as a reference to a group, is an error.

mod brackets;
mod preference;
mod similar;

use self::preference::Levels;
pub(crate) use self::similar::similar;
pub(in crate::functions) use self::{preference::Preference, similar::similar_part};
use crate::fault::{Failure, Fault, Result};

/// The most times that an expression says something occurs.
const MOST_TIMES: u32 = 255;

/// Characters that mean something to the library, in brackets or not.
const SIGNS: &str = "\\.+*?()|[]{}^$#&-~";

/// A regular expression with its options, as the library reads it.
pub(crate) fn translated(pattern: &str, flags: &str) -> Result<String> {
    Ok(with_preference(pattern, flags)?.0)
}

/// The same, and which of the matches from one place on it prefers; none where the library prefers the same.
pub(in crate::functions) fn with_preference(pattern: &str, flags: &str) -> Result<(String, Option<Preference>)> {
    let mut options = Options::default();
    for flag in flags.chars() {
        if flag == 'g' {
            let message = "the \"global\" option is not supported here; leave g out";
            return Err(Failure::new(Fault::InvalidArgument, message));
        }
        options.set(flag)?;
    }
    let pattern = with_own_options(pattern, &mut options)?;
    let mut translation = Translation {
        options,
        out: String::new(),
        groups: 0,
        levels: Levels::default(),
        has_dot: false,
        has_backslash: false,
    };
    if options.is_literal {
        pattern.chars().for_each(|character| translation.push_itself(character));
    } else {
        translation.expression(pattern)?;
    }
    let preference = translation.levels.preference();
    Ok((translation.finished(), preference))
}

/// What options say of an expression.
#[derive(Debug, Default, Clone, Copy)]
struct Options {
    /// As the operator says, unless the options do.
    ignores_case: Option<bool>,
    is_literal: bool,
    /// Blanks and comments are left out.
    is_expanded: bool,
    /// Neither a dot nor what is not in brackets is an end of line.
    stops_at_lines: bool,
    /// `^` and `$` are the borders of lines.
    anchors_lines: bool,
}

impl Options {
    fn set(&mut self, letter: char) -> Result<()> {
        match letter {
            'c' => self.ignores_case = Some(false),
            'i' => self.ignores_case = Some(true),
            'm' | 'n' => (self.stops_at_lines, self.anchors_lines) = (true, true),
            'p' => (self.stops_at_lines, self.anchors_lines) = (true, false),
            's' => (self.stops_at_lines, self.anchors_lines) = (false, false),
            'w' => (self.stops_at_lines, self.anchors_lines) = (false, true),
            'q' => self.is_literal = true,
            't' => self.is_expanded = false,
            'x' => self.is_expanded = true,
            'b' | 'e' => {
                let kind = if letter == 'b' { "basic" } else { "extended" };
                let message =
                    format!("{kind} regular expressions (option {letter}) are not supported, advanced ones are");
                return Err(Failure::new(Fault::FeatureNotSupported, message));
            }
            _ => {
                let message = format!("invalid regular expression option: \"{letter}\"");
                return Err(Failure::new(Fault::InvalidArgument, message));
            }
        }
        Ok(())
    }
}

/// An expression without the options that it begins with, such as `***=` and `(?i)`.
fn with_own_options<'a>(pattern: &'a str, options: &mut Options) -> Result<&'a str> {
    if options.is_literal {
        return Ok(pattern);
    }
    if let Some(literal) = pattern.strip_prefix("***=") {
        options.is_literal = true;
        return Ok(literal);
    }
    let pattern = pattern.strip_prefix("***:").unwrap_or(pattern);
    let Some((letters, rest)) = pattern.strip_prefix("(?").and_then(|options| options.split_once(')')) else {
        return Ok(pattern);
    };
    // What begins with something else is a group of another kind.
    if !letters.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        return Ok(pattern);
    }
    for letter in letters.chars() {
        options.set(letter).map_err(|error| match error.fault() {
            Fault::InvalidArgument => invalid("invalid embedded option"),
            _ => error,
        })?;
    }
    Ok(rest)
}

fn invalid(reason: &str) -> Failure {
    Failure::new(Fault::InvalidRegularExpression, format!("invalid regular expression: {reason}"))
}

/// What is left of an expression.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next();
        self.rest = characters.as_str();
        character
    }

    /// Takes this if it comes next; whether it did.
    fn skip(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes what ends with this character, or all.
    fn skip_through(&mut self, end: char) {
        self.rest = self.rest.split_once(end).map_or("", |(_, rest)| rest);
    }

    /// Takes characters of a kind, up to a number of them.
    fn take_while(&mut self, most: usize, is_taken: impl Fn(char) -> bool) -> &'a str {
        let fits = |(at, (_, character)): &(usize, (usize, char))| *at < most && is_taken(*character);
        let taken = self.rest.char_indices().enumerate().take_while(fits).last();
        let length = taken.map_or(0, |(_, (at, character))| at + character.len_utf8());
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn is_before(&self, is_next: impl Fn(char) -> bool) -> bool {
        self.rest.chars().next().is_some_and(is_next)
    }
}

/// What a backslash makes of what follows it.
enum Escaped {
    Character(char),
    /// What the library writes for a class.
    Class(String),
}

/// An expression while it is written.
struct Translation {
    options: Options,
    out: String,
    /// How many groups have begun that have numbers.
    groups: usize,
    levels: Levels,
    has_dot: bool,
    has_backslash: bool,
}

impl Translation {
    fn expression(&mut self, pattern: &str) -> Result<()> {
        let mut reader = Reader { rest: pattern };
        // Whether something stands before that may occur several times.
        let mut is_operand = false;
        while let Some(character) = reader.take() {
            is_operand = match character {
                '*' | '+' | '?' => {
                    self.out.push(character);
                    self.repeated(&mut reader, is_operand, false)?
                }
                '{' if reader.is_before(|next| next.is_ascii_digit()) => {
                    let is_fixed = self.times(&mut reader)?;
                    self.repeated(&mut reader, is_operand, is_fixed)?
                }
                '(' if reader.skip("?#") => {
                    reader.skip_through(')');
                    is_operand
                }
                '(' => {
                    self.group(&mut reader)?;
                    self.levels.open();
                    false
                }
                '|' => {
                    self.levels.choose();
                    self.out.push('|');
                    false
                }
                '^' | '$' => {
                    self.out.push(character);
                    false
                }
                ')' => {
                    self.levels.close();
                    self.out.push(')');
                    true
                }
                '.' => {
                    self.levels.begin();
                    self.has_dot = true;
                    self.out.push('.');
                    true
                }
                '[' if reader.skip("[:<:]]") => self.border("\\b{start}"),
                '[' if reader.skip("[:>:]]") => self.border("\\b{end}"),
                '[' => {
                    self.levels.begin();
                    self.brackets(&mut reader)?;
                    true
                }
                '\\' => {
                    self.levels.begin();
                    self.escape(&mut reader)?
                }
                '#' if self.options.is_expanded => {
                    reader.skip_through('\n');
                    is_operand
                }
                blank if self.options.is_expanded && blank.is_whitespace() => is_operand,
                other => {
                    self.levels.begin();
                    self.push_itself(other);
                    true
                }
            };
        }
        Ok(())
    }

    /// Ends a number of times; what it is of may not be such again.
    fn repeated(&mut self, reader: &mut Reader<'_>, is_operand: bool, is_fixed: bool) -> Result<bool> {
        if !is_operand {
            return Err(invalid("quantifier operand invalid"));
        }
        let is_least = reader.skip("?");
        if is_least {
            self.out.push('?');
        }
        self.levels.repeat(is_least, is_fixed);
        Ok(false)
    }

    /// What follows a brace; whether it says one number alone.
    fn times(&mut self, reader: &mut Reader<'_>) -> Result<bool> {
        let digits = |reader: &mut Reader<'_>| reader.take_while(usize::MAX, |next| next.is_ascii_digit()).to_owned();
        let least = digits(reader);
        let most = reader.skip(",").then(|| digits(reader));
        if !reader.skip("}") {
            return Err(invalid("braces {} not balanced"));
        }
        let number = |digits: &str| digits.parse().ok().filter(|times: &u32| *times <= MOST_TIMES);
        let times = match most.as_deref() {
            None => number(&least).map(|times| format!("{{{times}}}")),
            Some("") => number(&least).map(|least| format!("{{{least},}}")),
            Some(most) => number(&least)
                .zip(number(most))
                .filter(|(least, most)| least <= most)
                .map(|(least, most)| format!("{{{least},{most}}}")),
        };
        self.out.push_str(&times.ok_or_else(|| invalid("invalid repetition count(s)"))?);
        Ok(most.is_none())
    }

    /// What follows a parenthesis.
    fn group(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        if reader.skip("?:") {
            self.out.push_str("(?:");
        } else if ["?=", "?!", "?<=", "?<!"].iter().any(|around| reader.rest.starts_with(around)) {
            return Err(invalid("(?=, (?!, (?<= and (?<! are not supported"));
        } else if reader.is_before(|next| matches!(next, '?' | '*' | '+')) {
            return Err(invalid("quantifier operand invalid"));
        } else {
            self.groups += 1;
            self.out.push('(');
        }
        Ok(())
    }

    /// Writes what is true between characters, and occurs once.
    fn border(&mut self, border: &str) -> bool {
        self.out.push_str(border);
        false
    }

    /// What follows a backslash outside of brackets; whether it may occur several times.
    fn escape(&mut self, reader: &mut Reader<'_>) -> Result<bool> {
        let border = match reader.rest.chars().next() {
            Some('m') => "\\b{start}",
            Some('M') => "\\b{end}",
            Some('y') => "\\b",
            Some('Y') => "\\B",
            Some('A') => "\\A",
            Some('Z') => "\\z",
            _ => {
                match self.escaped(reader)? {
                    Escaped::Character(character) => self.push_itself(character),
                    Escaped::Class(class) => self.out.push_str(&class),
                }
                return Ok(true);
            }
        };
        reader.take();
        Ok(self.border(border))
    }

    /// What follows a backslash, in brackets or not.
    fn escaped(&self, reader: &mut Reader<'_>) -> Result<Escaped> {
        let unknown = || invalid("invalid escape \\ sequence");
        let hexadecimal = |reader: &mut Reader<'_>, least: usize, most: usize| {
            let digits = reader.take_while(most, |next| next.is_ascii_hexdigit());
            let number = u32::from_str_radix(digits.trim_start_matches('0'), 16);
            let number = if digits.chars().all(|digit| digit == '0') { Some(0) } else { number.ok() };
            number.filter(|_| digits.len() >= least).and_then(char::from_u32).ok_or_else(unknown)
        };
        let character = match reader.take().ok_or_else(unknown)? {
            'd' => return Ok(Escaped::Class(format!("[{}]", brackets::DIGIT))),
            'D' => return Ok(Escaped::Class(format!("[^{}]", brackets::DIGIT))),
            's' => return Ok(Escaped::Class(format!("[{}]", brackets::SPACE))),
            'S' => return Ok(Escaped::Class(format!("[^{}]", brackets::SPACE))),
            'w' => return Ok(Escaped::Class(format!("[{}]", brackets::WORD))),
            'W' => return Ok(Escaped::Class(format!("[^{}]", brackets::WORD))),
            'a' => '\u{7}',
            'b' => '\u{8}',
            'B' => '\\',
            'c' => {
                let letter = reader.take().ok_or_else(unknown)?;
                char::from_u32(u32::from(letter) & 0x1f).ok_or_else(unknown)?
            }
            'e' => '\u{1b}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => hexadecimal(reader, 1, usize::MAX)?,
            'u' => hexadecimal(reader, 4, 4)?,
            'U' => hexadecimal(reader, 8, 8)?,
            '0' => octal("0", reader.take_while(2, is_octal)).ok_or_else(unknown)?,
            digit @ '1'..='9' => self.numbered(digit, reader)?,
            other if other.is_alphanumeric() => return Err(unknown()),
            other => other,
        };
        Ok(Escaped::Character(character))
    }

    /// A character by its number, where no group can be meant.
    fn numbered(&self, digit: char, reader: &mut Reader<'_>) -> Result<char> {
        let mut ahead = Reader { rest: reader.rest };
        let more = ahead.take_while(usize::MAX, |next| next.is_ascii_digit());
        let number = format!("{digit}{more}");
        let is_group = more.is_empty() || number.parse().is_ok_and(|number: usize| number <= self.groups);
        if is_group {
            return Err(invalid(&format!("references to groups, such as \\{number}, are not supported")));
        }
        let first = digit.to_string();
        let character = is_octal(digit).then(|| octal(&first, reader.take_while(2, is_octal))).flatten();
        character.ok_or_else(|| invalid("invalid escape \\ sequence"))
    }

    /// Writes a character that means itself, in brackets or not.
    fn push_itself(&mut self, character: char) {
        self.has_backslash |= character == '\\';
        if SIGNS.contains(character) {
            self.out.push('\\');
        }
        self.out.push(character);
    }

    /// All of it, with the options that differ from the library's.
    fn finished(self) -> String {
        let Self { options, out, has_dot, has_backslash, .. } = self;
        let mut flags = String::new();
        flags.extend((options.ignores_case == Some(true)).then_some('i'));
        flags.extend((has_dot && !options.stops_at_lines).then_some('s'));
        flags.extend(options.anchors_lines.then_some('m'));
        flags.push_str(if options.ignores_case == Some(false) { "-i" } else { "" });
        let flags = if flags.is_empty() { flags } else { format!("(?{flags})") };
        // The engine makes LIKE of what is a text without choices: there a backslash is none, and ILIKE knows no option.
        let is_like = !has_backslash && options.ignores_case != Some(false);
        format!("{flags}{}{out}", if is_like { "" } else { "(?:)?" })
    }
}

fn is_octal(digit: char) -> bool {
    digit.is_digit(8)
}

fn octal(first: &str, more: &str) -> Option<char> {
    u32::from_str_radix(&format!("{first}{more}"), 8).ok().and_then(char::from_u32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use regex::Regex;

    use super::*;

    fn matches(text: &str, pattern: &str) -> bool {
        Regex::new(&translated(pattern, "").unwrap()).unwrap().is_match(text)
    }

    #[test]
    fn what_is_the_same_stays_as_it_is() {
        for (pattern, flags, expected) in [
            ("abc", "", "abc"),
            ("^[0-9]+$", "", "^[0-9]+$"),
            ("a.c", "", "(?s)a.c"),
            ("a.c", "n", "(?m)a.c"),
            ("^a", "iw", "(?im)^a"),
            ("(?i)a\\.c", "", "(?i)a\\.c"),
            ("***=a.c", "", "a\\.c"),
            ("a\\\\b", "", "(?:)?a\\\\b"),
            ("(?c)ab", "", "(?-i)(?:)?ab"),
            ("a{2}b{1,}c{0,3}?", "", "a{2}b{1,}c{0,3}?"),
        ] {
            assert_eq!(translated(pattern, flags).unwrap(), expected, "{pattern}");
        }
    }

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn expressions_match_what_they_do_in_postgresql() {
        for (text, pattern, expected) in [
            ("ab\ncd", "ab.cd", true),
            ("a\nb", "a$", false),
            ("a\nb", "^b", false),
            ("a\n", "a\\Z", false),
            ("a\nb", "(?n)a$", true),
            ("a\nb", "(?n)a.b", false),
            ("a\nb", "(?n)a[^x]b", false),
            ("a\nb", "(?w)a.b", true),
            ("a\nb", "(?w)^b", true),
            ("a\nb", "(?p)a.b", false),
            ("a\nb", "(?p)^b", false),
            ("foo bar", "\\mbar\\M", true),
            ("foobar", "\\mbar", false),
            ("foobar", "\\Yb", true),
            ("foo bar", "o\\y", true),
            ("a\nb", "\\Ab", false),
            ("a", "[[:<:]]a[[:>:]]", true),
            ("ab", "(?x)a b # c", true),
            ("ab", "a(?#c)b", true),
            ("a{", "a{", true),
            ("a]}", "a]}", true),
            ("b", "\\x62", true),
            ("bz", "\\x62z", true),
            ("a", "\\x00061", true),
            ("b", "\\u0062", true),
            ("1", "\\061", true),
            ("\u{8}", "\\10", true),
            ("\u{1}", "\\cA", true),
            ("a\\b", "a\\Bb", true),
            ("ab", "a\\\\b", false),
            ("٣", "\\d", false),
            ("٣", "\\w", true),
            ("ä", "\\w", true),
            ("\u{a0}", "\\s", false),
            ("\u{2003}", "\\s", true),
            ("a", "()a|", true),
            ("a#b", "a#b", true),
        ] {
            assert_eq!(matches(text, pattern), expected, "{pattern} of {text:?}");
        }
    }

    #[test]
    fn what_means_something_else_is_an_error() {
        for (pattern, reason) in [
            ("(a)\\1", "references to groups, such as \\1, are not supported"),
            ("a(?=b)", "(?=, (?!, (?<= and (?<! are not supported"),
            ("a**", "quantifier operand invalid"),
            ("a*+", "quantifier operand invalid"),
            ("^*", "quantifier operand invalid"),
            ("a(?i)b", "quantifier operand invalid"),
            ("(?P<n>a)", "invalid embedded option"),
            ("\\pL", "invalid escape \\ sequence"),
            ("a\\z", "invalid escape \\ sequence"),
            ("a\\", "invalid escape \\ sequence"),
            ("a{1", "braces {} not balanced"),
            ("a{256}", "invalid repetition count(s)"),
            ("a{2,1}", "invalid repetition count(s)"),
        ] {
            let error = translated(pattern, "").unwrap_err();
            assert_eq!(error.to_string(), format!("invalid regular expression: {reason}"), "{pattern}");
        }
        assert!(translated("a", "z").unwrap_err().to_string().ends_with("option: \"z\""));
        assert!(translated("a", "g").is_err());
    }
}
