//! Functions that tell of what there is: names of numbers, what is seen without its schema, who may do what, comments,
//! definitions, sizes. They know the snapshot of their statement and for whom it runs.
//!
//! ```sql
//! SELECT pg_get_userbyid(relowner), obj_description(oid, 'pg_class') FROM pg_class WHERE pg_table_is_visible(oid)
//! ```
//!
//! A function is a line of data with what computes one value of it, in the list of its file. Of NULL all of them are NULL.

mod definitions;
mod descriptions;
mod encodings;
mod names;
mod privileges;
mod sizes;
mod statistics;
mod view;
mod visible;

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, StringArray},
    compute::cast,
    datatypes::{DataType, Field, FieldRef, Int64Type},
};
use datafusion::{
    common::{Result, ScalarValue},
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use self::view::View;
use crate::{
    Error, Fault,
    interrupt::step,
    pgtype::{self, ColumnType, Form, INT4, PgType, REGCLASS},
    session::Scope,
};

/// The lists.
const LISTS: &[&[CatalogueFunction]] = &[
    definitions::LIST,
    descriptions::LIST,
    encodings::LIST,
    names::LIST,
    privileges::LIST,
    sizes::LIST,
    statistics::LIST,
    visible::LIST,
];

/// A function that tells of what there is.
pub(in crate::session) struct CatalogueFunction {
    /// As `pg_proc` has it.
    pub(in crate::session) name: &'static str,
    /// What it is for, in a line.
    pub(in crate::session) purpose: &'static str,
    /// A call of it, with which a test runs it.
    pub(in crate::session) example: &'static str,
    /// The types of the arguments of each of its overloads.
    overloads: &'static [&'static [PgType]],
    returns: PgType,
    /// Its value for arguments of one of the overloads, none of which is NULL.
    run: fn(&View, &[Value]) -> Computed,
}

/// A value of a call, or NULL.
type Computed = crate::Result<Option<Value>>;

/// A value that is given to a function or that it yields.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Oid(u32),
    Number(i64),
    Text(String),
    Bool(bool),
}

/// All of them for the statement of a scope.
pub(super) fn functions(scope: &Scope) -> impl Iterator<Item = ScalarUDF> {
    let view = Arc::new(View::of(scope));
    LISTS.iter().flat_map(|list| list.iter()).map(move |function| {
        let signature = Signature::user_defined(Volatility::Stable);
        ScalarUDF::from(OfCatalogue { function, view: Arc::clone(&view), signature })
    })
}

/// The one that a function of the query engine is.
pub(in crate::session) fn function_of(function: &ScalarUDF) -> Option<&'static CatalogueFunction> {
    function.inner().downcast_ref::<OfCatalogue>().map(|own| own.function)
}

impl CatalogueFunction {
    /// The types of the arguments of each of its overloads, as SQL writes them.
    pub(in crate::session) fn spellings(&self) -> impl Iterator<Item = String> {
        let spelled = |types: &&[PgType]| types.iter().map(|pg| pg.sql(None)).collect::<Vec<_>>().join(", ");
        self.overloads.iter().map(spelled)
    }

    /// The type of its values, as SQL writes it.
    pub(in crate::session) fn returns(&self) -> String {
        self.returns.sql(None)
    }
}

struct OfCatalogue {
    function: &'static CatalogueFunction,
    view: Arc<View>,
    signature: Signature,
}

impl OfCatalogue {
    /// The overload that arguments of these types mean: the one that has most of them as they are.
    fn overload(&self, types: &[DataType]) -> Result<&'static [PgType]> {
        let mut best: Option<(usize, &'static [PgType])> = None;
        for wanted in self.function.overloads.iter().filter(|wanted| wanted.len() == types.len()) {
            let fits: Option<Vec<bool>> = wanted.iter().zip(types).map(|(wanted, given)| fit(wanted, given)).collect();
            let Some(fits) = fits else { continue };
            let same = fits.into_iter().filter(|same| *same).count();
            if best.is_none_or(|(most, _)| same > most) {
                best = Some((same, *wanted));
            }
        }
        best.map(|(_, wanted)| wanted).ok_or_else(|| {
            let given = types.iter().map(|given| match given {
                DataType::Null => "unknown".to_owned(),
                given => pgtype::of(given).pg.sql(None),
            });
            let given = given.collect::<Vec<_>>().join(", ");
            let message = format!("function {}({given}) does not exist", self.function.name);
            Error::new(Fault::UndefinedFunction, message).into()
        })
    }

    fn value(&self, arguments: &[ArrayRef], overload: &[PgType], row: usize) -> Computed {
        step()?;
        let mut values = Vec::with_capacity(arguments.len());
        for (argument, wanted) in arguments.iter().zip(overload) {
            match value_of(&self.view, argument, wanted, row)? {
                Some(value) => values.push(value),
                None => return Ok(None),
            }
        }
        (self.function.run)(&self.view, &values)
    }
}

/// Whether values of an Arrow type can be given for a type, and whether they are such; a text may be one in quotes.
fn fit(wanted: &PgType, given: &DataType) -> Option<bool> {
    if given.is_null() {
        return Some(true);
    }
    if is_text(wanted) {
        return given.is_string().then_some(true);
    }
    let is_same = match wanted.form {
        Form::Boolean => *given == DataType::Boolean,
        Form::Numeric => matches!(given, DataType::Decimal128(..) | DataType::Decimal256(..)),
        _ => given.is_integer(),
    };
    if is_same { Some(true) } else { given.is_string().then_some(false) }
}

fn is_text(wanted: &PgType) -> bool {
    wanted.form == Form::Text
}

/// An argument of a row; none if it is NULL.
fn value_of(view: &View, argument: &ArrayRef, wanted: &PgType, row: usize) -> Computed {
    if argument.is_null(row) {
        return Ok(None);
    }
    if let Some(flags) = argument.as_boolean_opt() {
        return Ok(Some(Value::Bool(flags.value(row))));
    }
    if let Some(numbers) = argument.as_primitive_opt::<Int64Type>() {
        let number = numbers.value(row);
        return Ok(Some(match wanted.form {
            // No object has a number that is none.
            Form::Oid | Form::Regtype => Value::Oid(u32::try_from(number).unwrap_or(u32::MAX)),
            _ => Value::Number(number),
        }));
    }
    let Some(texts) = argument.as_string_view_opt() else { return Ok(None) };
    read(view, texts.value(row), wanted).map(Some)
}

/// A text as a value of a type.
fn read(view: &View, text: &str, wanted: &PgType) -> crate::Result<Value> {
    let refused = || {
        let message = format!("invalid input syntax for type {}: \"{text}\"", wanted.sql(None));
        Error::new(Fault::InvalidText, message)
    };
    match wanted.form {
        Form::Text => Ok(Value::Text(text.to_owned())),
        Form::Regtype if wanted.oid == REGCLASS.oid => names::relation(view, text).map(Value::Oid),
        Form::Oid | Form::Regtype => text.trim().parse().map(Value::Oid).map_err(|_| refused()),
        Form::Boolean => match text.trim() {
            "t" | "true" | "on" | "yes" | "1" => Ok(Value::Bool(true)),
            "f" | "false" | "off" | "no" | "0" => Ok(Value::Bool(false)),
            _ => Err(refused()),
        },
        _ => text.trim().parse().map(Value::Number).map_err(|_| refused()),
    }
}

/// The form of the arguments that are given for a type.
fn form_of(wanted: &PgType, given: &DataType) -> DataType {
    match wanted.form {
        _ if given.is_string() => DataType::Utf8View,
        Form::Text => DataType::Utf8View,
        Form::Boolean => DataType::Boolean,
        _ => DataType::Int64,
    }
}

/// The Arrow type of the values of a type.
fn yielded(returns: &PgType) -> DataType {
    match returns.form {
        Form::Boolean => DataType::Boolean,
        Form::Int4 => DataType::Int32,
        Form::Int8 | Form::Oid => DataType::Int64,
        _ => DataType::Utf8,
    }
}

impl ScalarUDFImpl for OfCatalogue {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let overload = self.overload(types)?;
        Ok(overload.iter().zip(types).map(|(wanted, given)| form_of(wanted, given)).collect())
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(yielded(&self.function.returns))
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let returns = &self.function.returns;
        let field = Field::new(self.function.name, yielded(returns), true);
        let told = Some(ColumnType::plain(returns)).filter(|told| told.has_to_be_told());
        Ok(Arc::new(field.with_metadata(told.map(ColumnType::metadata).unwrap_or_default())))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let types: Vec<DataType> = call.args.iter().map(ColumnarValue::data_type).collect();
        let overload = self.overload(&types)?;
        let is_constant = call.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { call.number_rows };
        let in_form = |(argument, wanted): (&ColumnarValue, &PgType)| -> Result<ArrayRef> {
            let form = form_of(wanted, &argument.data_type());
            Ok(cast(&argument.to_array(rows)?, &form)?)
        };
        let arguments = call.args.iter().zip(overload).map(in_form).collect::<Result<Vec<ArrayRef>>>()?;
        let values = (0..rows).map(|row| self.value(&arguments, overload, row));
        let values = values.collect::<crate::Result<Vec<Option<Value>>>>()?;
        let values = array_of(&values, &self.function.returns);
        Ok(match is_constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&values, 0)?),
            false => ColumnarValue::Array(values),
        })
    }
}

/// Values as an array of a type.
fn array_of(values: &[Option<Value>], returns: &PgType) -> ArrayRef {
    let number = |value: &Option<Value>| match value {
        Some(Value::Oid(oid)) => Some(i64::from(*oid)),
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    };
    if returns.oid == INT4.oid {
        let narrow = values.iter().map(|value| number(value).and_then(|number| i32::try_from(number).ok()));
        return Arc::new(narrow.collect::<Int32Array>());
    }
    match returns.form {
        Form::Boolean => {
            let flag = |value: &Option<Value>| if let Some(Value::Bool(flag)) = value { Some(*flag) } else { None };
            Arc::new(values.iter().map(flag).collect::<BooleanArray>())
        }
        Form::Int8 | Form::Oid => Arc::new(values.iter().map(number).collect::<Int64Array>()),
        _ => {
            let text = |value: &Option<Value>| match value {
                Some(Value::Text(text)) => Some(text.clone()),
                _ => None,
            };
            Arc::new(values.iter().map(text).collect::<StringArray>())
        }
    }
}

/// One is another's equal in the same statement alone.
impl PartialEq for OfCatalogue {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name && Arc::ptr_eq(&self.view, &other.view)
    }
}

impl Eq for OfCatalogue {}

impl Hash for OfCatalogue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl fmt::Debug for OfCatalogue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.function.name)
    }
}
