//! The functions as the query engine calls them.

use std::{
    hash::{Hash, Hasher},
    ops::Range,
    ptr,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{Array, ArrayRef},
    compute::concat,
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{DataFusionError, Result, ScalarValue, internal_err},
    logical_expr::{
        ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        preimage::PreimageResult,
        simplify::SimplifyContext,
        sort_properties::{ExprProperties, SortProperties},
        type_coercion::binary::type_union_coercion,
    },
};

use super::{
    Call, Function, Given, Known, Overload, Resolved, Returns, Room, given,
    resolve::{Unresolved, resolve, resolve_any, resolve_early},
    units,
};
use crate::{
    fault::{Failure, Fault},
    interrupt::ask,
    pgtype::{self, ColumnType, PgType, ZONED_TIME},
};

#[derive(Debug)]
struct Udf {
    function: &'static Function,
    aliases: Vec<String>,
    signature: Signature,
    /// The values that the statement says the arguments of a call to have, once they were looked for.
    known: Option<Vec<Option<ScalarValue>>>,
    found: Found,
}

/// The overloads that were found for arguments of these types, the newest first: each batch asks for the same.
#[derive(Debug, Default)]
struct Found(Mutex<Vec<(Vec<DataType>, Arc<Resolved>)>>);

impl Found {
    /// As many are kept.
    const MOST: usize = 8;

    fn get(&self, types: &[DataType]) -> Option<Arc<Resolved>> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.iter().find(|(known, _)| known == types).map(|(_, resolved)| Arc::clone(resolved))
    }

    fn keep(&self, types: &[DataType], resolved: &Arc<Resolved>) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.truncate(Self::MOST - 1);
        found.insert(0, (types.to_vec(), Arc::clone(resolved)));
    }
}

pub(super) fn of(function: &'static Function) -> ScalarUDF {
    // It is as volatile as the most volatile of its overloads.
    let is_stable = function.overloads.iter().any(|overload| overload.volatility != Volatility::Immutable);
    let volatility = if is_stable { Volatility::Stable } else { Volatility::Immutable };
    // The query engine calls its functions of arrays by two names.
    let aliases = function.name.strip_prefix("array_").map(|rest| format!("list_{rest}")).into_iter().collect();
    let (signature, found) = (Signature::user_defined(volatility), Found::default());
    ScalarUDF::from(Udf { function, aliases, signature, known: None, found })
}

pub(super) fn function_of(function: &ScalarUDF) -> Option<&'static Function> {
    function.inner().downcast_ref::<Udf>().map(|udf| udf.function)
}

pub(super) fn with_known(function: &ScalarUDF, values: impl FnOnce() -> Vec<Option<ScalarValue>>) -> Option<ScalarUDF> {
    let udf = function.inner().downcast_ref::<Udf>()?;
    let depends = |overload: &Overload| matches!(overload.returns, Returns::KnownDigits(_));
    if udf.known.is_some() || !udf.function.overloads.iter().any(depends) {
        return None;
    }
    let (function, aliases, signature) = (udf.function, udf.aliases.clone(), udf.signature.clone());
    Some(ScalarUDF::from(Udf { function, aliases, signature, known: Some(values()), found: Found::default() }))
}

pub(super) fn value_of(function: &ScalarUDF, arguments: &[ScalarValue]) -> Option<ScalarValue> {
    let udf = function.inner().downcast_ref::<Udf>()?;
    if udf.signature.volatility != Volatility::Immutable {
        return None;
    }
    let given: Vec<DataType> = arguments.iter().map(ScalarValue::data_type).collect();
    let wanted = udf.coerce_types(&given).ok()?;
    let values = arguments.iter().zip(&wanted).map(|(value, wanted)| value.cast_to(wanted).map(ColumnarValue::Scalar));
    let args = values.collect::<Result<Vec<_>>>().ok()?;
    let field = |data_type: &DataType| Arc::new(Field::new(udf.name(), data_type.clone(), true));
    let call = ScalarFunctionArgs {
        args,
        arg_fields: wanted.iter().map(field).collect(),
        number_rows: 1,
        return_field: field(&udf.return_type(&wanted).ok()?),
        config_options: Arc::default(),
    };
    match udf.invoke_with_args(call).ok()? {
        ColumnarValue::Scalar(value) => Some(value),
        ColumnarValue::Array(_) => None,
    }
}

impl Udf {
    /// What is known of the arguments of a call that have these types.
    fn known_of<'a>(&self, types: &'a [DataType]) -> Vec<Known<'a>> {
        let value = |at: usize| self.known.as_ref()?.get(at)?.as_ref();
        let of = |(at, data_type): (usize, &'a DataType)| {
            let value = value(at).and_then(|value| value.cast_to(data_type).ok()).filter(|value| !value.is_null());
            Known { data_type, value }
        };
        types.iter().enumerate().map(of).collect()
    }

    /// The overload that arguments of these types mean. A text may have been one in quotes, which may be anything: whoever
    /// settles types knows.
    fn resolved(&self, types: &[DataType]) -> Result<Arc<Resolved>> {
        if let Some(found) = self.found.get(types) {
            return Ok(found);
        }
        let given: Vec<Given> = types.iter().map(given).collect();
        let found = resolve(self.function, &given).or_else(|_| resolve_early(self.function, &given));
        // What is open beside a number that is written is of its type, which is not a bigint's: `NULL << 1`.
        let found = found.or_else(|unresolved| {
            let narrow = |given: &Given| match given {
                Given::Type(given) if given.oid == pgtype::INT8.oid => Given::Type(pgtype::INT4),
                other => *other,
            };
            resolve(self.function, &given.iter().map(narrow).collect::<Vec<Given>>()).map_err(|_| unresolved)
        });
        let found = found.or_else(|unresolved| {
            let is_text = |given: &Given| matches!(given, Given::Type(given) if given.oid == pgtype::TEXT.oid);
            let open: Vec<Given> =
                given.iter().map(|given| if is_text(given) { Given::Unknown } else { *given }).collect();
            let found = resolve_early(self.function, &open);
            let found = match found {
                Err(Unresolved::Several | Unresolved::Indeterminate) if open != given => {
                    resolve_any(self.function, &open)
                }
                found => found,
            };
            found.map_err(|_| unresolved)
        });
        let found = Arc::new(found.map_err(|unresolved| unresolved.failure(self.function, &given))?);
        self.found.keep(types, &found);
        Ok(found)
    }
}

impl PartialEq for Udf {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.function, other.function) && self.known == other.known
    }
}

impl Eq for Udf {}

impl Hash for Udf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
        self.known.hash(state);
    }
}

impl ScalarUDFImpl for Udf {
    fn name(&self) -> &str {
        self.function.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let resolved = self.resolved(types)?;
        let known: Vec<Option<DataType>> = types.iter().cloned().map(Some).collect();
        let forms = forms(&resolved, &known).into_iter().zip(types).enumerate();
        let form = |(at, (form, given)): (usize, (Option<DataType>, &DataType))| {
            let form = match form {
                Some(form) => form,
                None => form_of(resolved.overload.argument(at), &resolved.arguments[at], given)?,
            };
            // The engine knows no cast to it; the plan gets one of ours.
            Ok(if form == ZONED_TIME { given.clone() } else { form })
        };
        forms.map(form).collect()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let resolved = self.resolved(types)?;
        match resolved.overload.returns {
            Returns::Digits(digits) => Ok(digits(types)),
            Returns::KnownDigits(digits) => Ok(digits(&self.known_of(types))),
            Returns::DigitsOf(digits) => Ok(digits(None)),
            Returns::Type(returns) if returns.is_polymorphic() => {
                let given = polymorphic(&resolved, &returns, types);
                given.map_or_else(|| form_of(&resolved.returns, &resolved.returns, &DataType::Null), Ok)
            }
            Returns::Type(returns) => form_of(&returns, &returns, &DataType::Null),
        }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let overload = self.resolved(&types)?.overload;
        let returns = match overload.returns {
            Returns::DigitsOf(digits) => {
                let name = arguments.scalar_arguments.first().copied().flatten();
                digits(name.and_then(|name| name.try_as_str().flatten()))
            }
            _ => self.return_type(&types)?,
        };
        let field = Field::new(self.function.name, returns, true);
        // What Arrow does not tell of the values, the field says.
        let told = match &overload.returns {
            Returns::Type(returns) if !returns.is_polymorphic() => Some(ColumnType::plain(returns)),
            Returns::Type(_) | Returns::Digits(_) | Returns::KnownDigits(_) | Returns::DigitsOf(_) => None,
        };
        let metadata = told.filter(|told| told.has_to_be_told()).map(ColumnType::metadata);
        Ok(Arc::new(field.with_metadata(metadata.unwrap_or_default())))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let types: Vec<DataType> = call.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let resolved = self.resolved(&types)?;
        let is_constant = call.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)))
            && resolved.overload.volatility != Volatility::Volatile;
        let rows = if is_constant { 1 } else { call.number_rows };
        // A constant is there for each row: no more of them are computed at once than it has room for.
        let constants = call.args.iter().map(|argument| match argument {
            ColumnarValue::Scalar(value) => value.size(),
            ColumnarValue::Array(_) => 0,
        });
        let at_once = (CONSTANT_BYTES / constants.sum::<usize>().max(1)).max(1);
        let mut pieces = vec![computed(&call, &resolved, 0..rows.min(at_once))?];
        for from in (at_once..rows).step_by(at_once) {
            pieces.push(computed(&call, &resolved, from..rows.min(from.saturating_add(at_once)))?);
        }
        let values = match pieces.as_slice() {
            [all] => Arc::clone(all),
            pieces => concat(&pieces.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>())?,
        };
        let result = call.return_field.data_type();
        if values.len() != rows || values.data_type() != result {
            let found = values.data_type();
            return internal_err!("{} made {} values of {found} and not {rows} of {result}", self.name(), values.len());
        }
        Ok(match is_constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&values, 0)?),
            false => ColumnarValue::Array(values),
        })
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        let order = self.function.overloads.iter().find_map(|overload| overload.hints.order);
        Ok(order.map_or(SortProperties::Unordered, |order| order(inputs)))
    }

    fn preimage(&self, arguments: &[Expr], value: &Expr, context: &SimplifyContext) -> Result<PreimageResult> {
        // The argument is compared with two bounds then, for which what is volatile would be computed twice.
        let is_volatile = arguments.iter().any(Expr::is_volatile);
        if is_volatile || self.function.overloads.iter().all(|overload| overload.hints.preimage.is_none()) {
            return Ok(PreimageResult::None);
        }
        let types = arguments.iter().map(|argument| context.get_data_type(argument)).collect::<Result<Vec<_>>>();
        match types.and_then(|types| Ok(self.resolved(&types)?.overload.hints.preimage)) {
            Ok(Some(preimage)) => preimage(arguments, value, context),
            // Who computes the call tells of its faults.
            Ok(None) | Err(_) => Ok(PreimageResult::None),
        }
    }
}

/// As many bytes of constants are repeated at once.
const CONSTANT_BYTES: usize = 1 << 26;

/// The values of some of the rows of a call.
fn computed(call: &ScalarFunctionArgs, resolved: &Resolved, rows: Range<usize>) -> Result<ArrayRef> {
    ask()?;
    let in_form = |(at, (argument, wanted)): (usize, (&ColumnarValue, &PgType))| {
        let values = match argument {
            ColumnarValue::Scalar(value) => {
                Room::default().take(value.size().saturating_mul(rows.len()))?;
                value.to_array_of_size(rows.len())?
            }
            ColumnarValue::Array(values) if values.len() == rows.len() => Arc::clone(values),
            ColumnarValue::Array(values) => values.slice(rows.start, rows.len()),
        };
        if resolved.overload.argument(at).is_polymorphic() { Ok(values) } else { units::in_form(values, wanted) }
    };
    let arguments = call.args.iter().zip(&resolved.arguments).enumerate().map(in_form);
    let arguments = arguments.collect::<Result<Vec<ArrayRef>>>()?;
    let (result, options) = (call.return_field.data_type(), call.config_options.as_ref());
    let (strict, rows) = (resolved.overload.strict, rows.len());
    Ok((resolved.overload.run)(&Call { arguments: &arguments, rows, strict, result, options })?)
}

/// The type of the values of an overload that takes any arrays or values and returns such: of an array as deep as the deepest
/// that is given.
fn polymorphic(resolved: &Resolved, returns: &PgType, types: &[DataType]) -> Option<DataType> {
    let mut values = None;
    let mut deepest: Option<&DataType> = None;
    for (at, given) in types.iter().enumerate().filter(|(_, given)| !given.is_null()) {
        let declared = resolved.overload.argument(at);
        if declared.is_any_array() {
            let is_deeper = |known: &DataType| pgtype::dimensions_of(given) > pgtype::dimensions_of(known);
            deepest = if deepest.is_none_or(is_deeper) { Some(given) } else { deepest };
        } else if declared.is_polymorphic() && !declared.is_any() {
            values = values.or(Some(given));
        }
    }
    Some(match (deepest, returns.is_any_array()) {
        (Some(array), true) => pgtype::nested(pgtype::dimensions_of(array), pgtype::innermost(array).clone()),
        (Some(array), false) => pgtype::innermost(array).clone(),
        (None, true) => pgtype::list_of(values?.clone()),
        (None, false) => values?.clone(),
    })
}

/// What the arguments become of an overload that takes any arrays, of which these types are known: lists of what the elements
/// of all and the values beside them have in common. None for those that are as they are declared.
pub(crate) fn forms(resolved: &Resolved, types: &[Option<DataType>]) -> Vec<Option<DataType>> {
    let declared = |at: usize| resolved.overload.argument(at);
    let takes_any = |at: usize| declared(at).is_polymorphic() && !declared(at).is_any();
    let mut common: Option<DataType> = None;
    for (at, wanted) in resolved.arguments.iter().enumerate().filter(|(at, _)| takes_any(*at)) {
        let Some(given) = types.get(at).and_then(Option::as_ref) else { continue };
        let (wanted, element) = match declared(at).is_any_array() {
            true => (wanted.element_type().unwrap_or(wanted), pgtype::innermost(given)),
            false => (wanted, given),
        };
        // A text in quotes is none yet.
        if element.is_null() || pgtype::of(element).pg.category != wanted.category {
            continue;
        }
        common = match common {
            None => Some(element.clone()),
            Some(common) => type_union_coercion(&common, element).or(Some(common)),
        };
    }
    let takes_arrays = (0..resolved.arguments.len()).any(|at| declared(at).is_any_array());
    let form = |at: usize| {
        let common = common.clone().filter(|_| takes_arrays && takes_any(at))?;
        if !declared(at).is_any_array() {
            return Some(common);
        }
        let dimensions = types.get(at).and_then(Option::as_ref).map_or(1, pgtype::dimensions_of);
        Some(pgtype::nested(dimensions.max(1), common))
    };
    (0..resolved.arguments.len()).map(form).collect()
}

/// The form of an argument that is declared so, for which values of a type are wanted.
fn form_of(declared: &PgType, wanted: &PgType, given: &DataType) -> Result<DataType> {
    let is_given = declared.is_polymorphic() && !given.is_null();
    if is_given {
        return Ok(given.clone());
    }
    let wanted = if wanted.is_any() { &pgtype::TEXT } else { wanted };
    super::form(wanted, given).ok_or_else(|| {
        let message = format!("values of the type {} are not known", wanted.sql(None));
        DataFusionError::from(Failure::new(Fault::FeatureNotSupported, message))
    })
}
