//! Which overload a call means, and which operator an operation, as PostgreSQL finds them (chapters 10.2 and 10.3 of its manual,
//! "Operators" and "Functions").

use arrow::datatypes::DataType;

use super::{Function, Overload, Returns};
use crate::{
    fault::{Failure, Fault},
    pgtype::{self, Context, Operator, PgType, TEXT, TEXT_ARRAY},
};

/// What is known of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    Type(PgType),
    /// A text in quotes, NULL or a parameter without a type.
    Unknown,
}

/// The overload that was found.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) overload: &'static Overload,
    /// A type for each argument that was given.
    pub(crate) arguments: Vec<PgType>,
    /// The type of its values, none of whose digits are said here.
    pub(crate) returns: PgType,
}

/// Why none was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unresolved {
    None,
    Several,
    /// A polymorphic one of nothing but unknown values.
    Indeterminate,
}

const NO_UNARY: &str =
    "No operator matches the given name and argument type. You might need to add an explicit type cast.";
const NO_FUNCTION: &str =
    "No function matches the given name and argument types. You might need to add explicit type casts.";
const NO_OPERATOR: &str =
    "No operator matches the given name and argument types. You might need to add explicit type casts.";
const SEVERAL_OPERATORS: &str =
    "Could not choose a best candidate operator. You might need to add explicit type casts.";

/// What is said where nothing tells which type one of any type is.
pub(crate) const INDETERMINATE: &str =
    "could not determine polymorphic type because input has type unknown; cast an argument";

impl Unresolved {
    /// As PostgreSQL says it.
    pub(crate) fn failure(self, function: &Function, given: &[Given]) -> Failure {
        self.failure_of(function.name, given)
    }

    /// The same of an operator or a function of this name.
    pub(crate) fn failure_of(self, name: &str, given: &[Given]) -> Failure {
        let types: Vec<String> = given.iter().map(Given::spelling).collect();
        let is_operator = is_operator(name);
        let call = match types.as_slice() {
            [operand] if is_operator => format!("{name} {operand}"),
            [left, right] if is_operator => format!("{left} {name} {right}"),
            types => format!("{name}({})", types.join(", ")),
        };
        match (self, is_operator) {
            (Self::None, true) => Failure::new(Fault::UndefinedFunction, format!("operator does not exist: {call}"))
                .with_hint(if given.len() == 1 { NO_UNARY } else { NO_OPERATOR }),
            (Self::None, false) => {
                Failure::new(Fault::UndefinedFunction, format!("function {call} does not exist")).with_hint(NO_FUNCTION)
            }
            (Self::Several, true) => Failure::new(Fault::AmbiguousFunction, format!("operator is not unique: {call}"))
                .with_hint(SEVERAL_OPERATORS),
            (Self::Several, false) => {
                Failure::new(Fault::AmbiguousFunction, format!("function {call} is not unique; cast its arguments"))
            }
            (Self::Indeterminate, _) => Failure::new(Fault::DatatypeMismatch, INDETERMINATE),
        }
    }
}

/// Whether a name is one of an operator.
fn is_operator(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

impl Given {
    fn known(&self) -> Option<PgType> {
        match self {
            Self::Type(given) => Some(*given),
            Self::Unknown => None,
        }
    }

    fn spelling(&self) -> String {
        match self {
            Self::Type(given) => given.sql(None),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

/// What is known of a value of the Arrow type: nothing of NULL, and of an array of nothing else.
pub(crate) fn given(arrow: &DataType) -> Given {
    match pgtype::innermost(arrow) {
        DataType::Null => Given::Unknown,
        _ => Given::Type(*pgtype::of(arrow).pg),
    }
}

/// What a name may mean: an overload, or an operator.
trait Meaning: Copy {
    fn declared(self) -> &'static [PgType];

    fn is_variadic(self) -> bool;
}

impl Meaning for &'static Overload {
    fn declared(self) -> &'static [PgType] {
        self.arguments
    }

    fn is_variadic(self) -> bool {
        self.variadic
    }
}

impl Meaning for &'static Operator {
    fn declared(self) -> &'static [PgType] {
        self.arguments
    }

    fn is_variadic(self) -> bool {
        false
    }
}

/// One that the arguments fit, with the types that it takes of them.
struct Candidate<M> {
    meaning: M,
    arguments: Vec<PgType>,
}

/// The operator of a name between operands of such types, or before one.
pub(crate) fn resolve_operator(name: &str, given: &[Given]) -> Result<&'static Operator, Unresolved> {
    resolve_operator_by(name, given, becomes)
}

/// The same for whoever takes numbers for others than they will be; see [`resolve_early`].
pub(crate) fn resolve_operator_early(name: &str, given: &[Given]) -> Result<&'static Operator, Unresolved> {
    resolve_operator_by(name, given, becomes_early)
}

fn resolve_operator_by(name: &str, given: &[Given], becomes: Becomes) -> Result<&'static Operator, Unresolved> {
    if let Some(found) = of_one_type(pgtype::operators(name), given) {
        return Ok(found);
    }
    let fitting = pgtype::operators(name).filter_map(|operator| candidate(operator, given, becomes));
    let found = best(fitting.filter(|candidate| goes_together(candidate, given)).collect(), given)?;
    Ok(found.meaning)
}

/// The operator of exactly these types; an operand of which nothing is known is of the other's type, if there is one between
/// two such.
fn of_one_type<M: Meaning>(mut meanings: impl Iterator<Item = M>, given: &[Given]) -> Option<M> {
    let known = given.iter().find_map(Given::known)?;
    let is_exact = |(given, declared): (&Given, &PgType)| given.known().unwrap_or(known).oid == declared.oid;
    meanings.find(|meaning| {
        let declared = meaning.declared();
        declared.len() == given.len() && given.iter().zip(declared).all(is_exact)
    })
}

/// Whether what is given for `anyarray` is of one type, and what is given for `anycompatible` has one in common.
fn goes_together(candidate: &Candidate<&'static Operator>, given: &[Given]) -> bool {
    let is_array = |wanted: &PgType| wanted.oid == pgtype::ANYARRAY.oid;
    let arrays = candidate.arguments.iter().zip(given).filter(|(wanted, _)| is_array(wanted));
    let mut known = arrays.filter_map(|(_, given)| given.known());
    let mut polymorphic = candidate.arguments.iter().filter(|wanted| wanted.is_polymorphic());
    known.next().is_none_or(|first| known.all(|other| other.oid == first.oid))
        && polymorphic.all(|wanted| of_elements(wanted, candidate, given) != Err(Unresolved::None))
}

/// The overload of a function that a call with such arguments means.
pub(crate) fn resolve(function: &'static Function, given: &[Given]) -> Result<Resolved, Unresolved> {
    resolve_by(function, given, becomes)
}

/// The same for whoever takes numbers that are written for bigints yet, and averages of integers for doubles, whatever they
/// will be.
pub(crate) fn resolve_early(function: &'static Function, given: &[Given]) -> Result<Resolved, Unresolved> {
    resolve_by(function, given, becomes_early)
}

/// One of the overloads that such arguments fit, for whoever takes texts for unknown that may be of a type: who knows better
/// refuses a call that means several.
pub(super) fn resolve_any(function: &'static Function, given: &[Given]) -> Result<Resolved, Unresolved> {
    let mut fitting = function.overloads.iter().filter_map(|overload| candidate(overload, given, becomes_early));
    let found = fitting.next().ok_or(Unresolved::None)?;
    let as_texts = given.iter().zip(&found.arguments).map(|(given, wanted)| match given {
        Given::Unknown if wanted.is_any_array() => Given::Type(TEXT_ARRAY),
        Given::Unknown => Given::Type(TEXT),
        known => *known,
    });
    resolved(&found, given).or_else(|_| resolved(&found, &as_texts.collect::<Vec<Given>>()))
}

fn resolve_by(function: &'static Function, given: &[Given], becomes: Becomes) -> Result<Resolved, Unresolved> {
    if is_operator(function.name)
        && let Some(meaning) = of_one_type(function.overloads.iter(), given)
    {
        return resolved(&Candidate { meaning, arguments: meaning.arguments.to_vec() }, given);
    }
    let fitting = function.overloads.iter().filter_map(|overload| candidate(overload, given, becomes));
    resolved(&best(fitting.collect(), given)?, given)
}

/// The overload with the types that its polymorphic ones stand for.
fn resolved(found: &Candidate<&'static Overload>, given: &[Given]) -> Result<Resolved, Unresolved> {
    let returns = match &found.meaning.returns {
        Returns::Type(returns) if returns.is_polymorphic() => of_elements(returns, found, given)?,
        Returns::Type(returns) => *returns,
        Returns::Digits(_) | Returns::KnownDigits(_) | Returns::DigitsOf(_) => pgtype::NUMERIC,
    };
    let arguments = found.arguments.iter().map(|wanted| match wanted.is_polymorphic() {
        true => of_elements(wanted, found, given),
        false => Ok(*wanted),
    });
    let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
    Ok(Resolved { overload: found.meaning, arguments, returns })
}

/// The overload or the operator, if it takes so many arguments of types that these become by themselves.
fn candidate<M: Meaning>(meaning: M, given: &[Given], becomes: Becomes) -> Option<Candidate<M>> {
    let fixed = meaning.declared();
    let takes = if meaning.is_variadic() { given.len() >= fixed.len() } else { given.len() == fixed.len() };
    if !takes {
        return None;
    }
    let wanted = (0..given.len()).map(|at| fixed.get(at).or(fixed.last()).copied());
    let arguments = wanted.collect::<Option<Vec<PgType>>>()?;
    let fits = given.iter().zip(&arguments).all(|(given, wanted)| match given {
        Given::Unknown => true,
        Given::Type(given) => becomes(given, wanted),
    });
    fits.then_some(Candidate { meaning, arguments })
}

/// Whether values of a type become those of another where they are given to a function.
fn becomes(given: &PgType, wanted: &PgType) -> bool {
    if wanted.is_polymorphic() {
        return match given.element {
            0 => !wanted.is_any_array(),
            _ => !wanted.is_any_but_arrays(),
        };
    }
    if let (Some(given), Some(wanted)) = (given.element_type(), wanted.element_type()) {
        return becomes(given, wanted);
    }
    given.oid == wanted.oid || pgtype::cast_between(given, wanted) == Some(Context::Implicit)
}

/// The same of numbers that are taken for others than they will be.
fn becomes_early(given: &PgType, wanted: &PgType) -> bool {
    becomes(given, wanted) || is_written_wider(given, wanted)
}

fn is_written_wider(given: &PgType, wanted: &PgType) -> bool {
    if let (Some(given), Some(wanted)) = (given.element_type(), wanted.element_type()) {
        return is_written_wider(given, wanted);
    }
    (given.oid == pgtype::INT8.oid && [pgtype::INT2.oid, pgtype::INT4.oid].contains(&wanted.oid))
        || (given.oid == pgtype::FLOAT8.oid && wanted.oid == pgtype::NUMERIC.oid)
}

/// Whether values of one type become those of another where they are given to a function.
type Becomes = fn(&PgType, &PgType) -> bool;

/// The one that is left when those that fit worse are left out, step by step.
fn best<M>(mut candidates: Vec<Candidate<M>>, given: &[Given]) -> Result<Candidate<M>, Unresolved> {
    if candidates.is_empty() {
        return Err(Unresolved::None);
    }
    let is_exact = |candidate: &Candidate<M>, at: usize| match given[at] {
        Given::Type(given) => given.oid == candidate.arguments[at].oid,
        Given::Unknown => false,
    };
    keep_most(&mut candidates, given.len(), is_exact);
    keep_most(&mut candidates, given.len(), |candidate, at| match given[at] {
        Given::Type(given) => is_exact(candidate, at) || is_preferred(&candidate.arguments[at], given.category),
        Given::Unknown => false,
    });
    if candidates.len() > 1 {
        keep_by_category(&mut candidates, given);
    }
    if candidates.len() > 1 {
        keep_by_known(&mut candidates, given);
    }
    match candidates.pop() {
        Some(found) if candidates.is_empty() => Ok(found),
        _ => Err(Unresolved::Several),
    }
}

/// Keeps those for which most arguments are as asked.
fn keep_most<M>(candidates: &mut Vec<Candidate<M>>, arguments: usize, is_so: impl Fn(&Candidate<M>, usize) -> bool) {
    let count = |candidate: &Candidate<M>| (0..arguments).filter(|at| is_so(candidate, *at)).count();
    let most = candidates.iter().map(count).max().unwrap_or(0);
    candidates.retain(|candidate| count(candidate) == most);
}

fn is_preferred(wanted: &PgType, category: char) -> bool {
    wanted.category == category && wanted.is_preferred()
}

/// Where nothing is known of an argument: it is a text if any of them takes one, else of the category that all have.
fn keep_by_category<M>(candidates: &mut Vec<Candidate<M>>, given: &[Given]) {
    let mut kept: Vec<(usize, char)> = Vec::new();
    for at in (0..given.len()).filter(|at| given[*at] == Given::Unknown) {
        let mut categories = candidates.iter().map(|candidate| candidate.arguments[at].category);
        let first = categories.next().unwrap_or(TEXT.category);
        let all_same = categories.clone().all(|category| category == first);
        if first == TEXT.category || categories.any(|category| category == TEXT.category) {
            kept.push((at, TEXT.category));
        } else if all_same {
            kept.push((at, first));
        } else {
            return;
        }
    }
    for (at, category) in kept {
        if candidates.iter().any(|candidate| candidate.arguments[at].category == category) {
            candidates.retain(|candidate| candidate.arguments[at].category == category);
        }
        if candidates.iter().any(|candidate| candidate.arguments[at].is_preferred()) {
            candidates.retain(|candidate| candidate.arguments[at].is_preferred());
        }
    }
}

/// Where what is known is of one type, the rest is taken for it, too.
fn keep_by_known<M>(candidates: &mut Vec<Candidate<M>>, given: &[Given]) {
    let mut known = given.iter().filter_map(Given::known);
    let Some(first) = known.next() else { return };
    if !known.all(|other| other.oid == first.oid) {
        return;
    }
    let takes = |candidate: &Candidate<M>| candidate.arguments.iter().all(|wanted| becomes(&first, wanted));
    if candidates.iter().filter(|candidate| takes(candidate)).count() == 1 {
        candidates.retain(takes);
    }
}

/// The type that a polymorphic one stands for, by the arguments that are given for one.
fn of_elements<M>(wanted: &PgType, found: &Candidate<M>, given: &[Given]) -> Result<PgType, Unresolved> {
    if wanted.is_any() {
        return Ok(*wanted);
    }
    let elements = found.arguments.iter().zip(given).filter_map(|(argument, given)| match given {
        Given::Type(given) if argument.is_any_array() => given.element_type(),
        Given::Type(given) if argument.is_polymorphic() && !argument.is_any() => pgtype::by_oid(given.oid),
        _ => None,
    });
    let elements: Vec<Option<&'static PgType>> = elements.map(Some).collect();
    let common = pgtype::common_type(&elements).map_err(|_| Unresolved::None)?;
    // What need not be of one type is a text where nothing is known.
    let is_compatible = [pgtype::ANYCOMPATIBLE.oid, pgtype::ANYCOMPATIBLEARRAY.oid].contains(&wanted.oid);
    let element = common.or(is_compatible.then_some(&TEXT)).ok_or(Unresolved::Indeterminate)?;
    match wanted.is_any_array() {
        true => element.array_type().copied().ok_or(Unresolved::None),
        false => Ok(*element),
    }
}
