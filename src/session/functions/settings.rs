//! `current_setting` and `set_config`: the session's settings in expressions.
//!
//! ```sql
//! SELECT set_config('search_path', 'sales, public', false), current_setting('timezone')
//! ```
//!
//! A setting is that of the statement's beginning: what the statement itself sets, the next one sees.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex},
};

use arrow::{
    array::{Array, StringArray},
    datatypes::DataType,
};
use datafusion::{
    common::{
        Result,
        cast::{as_boolean_array, as_string_array},
        utils::take_function_args,
    },
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility},
};

use crate::{
    Error, Fault,
    session::{
        Modes, Scope,
        assignments::{Assignment, Assignments},
        client::lock,
        settings::Settings,
    },
};

/// The name of the function that sets.
pub(crate) const SET_CONFIG: &str = "set_config";

/// The functions of one statement.
pub(super) fn functions(scope: &Scope) -> [ScalarUDF; 2] {
    let current = CurrentSetting {
        settings: scope.settings.clone(),
        modes: scope.modes,
        assignments: Arc::clone(&scope.assignments),
        signature: Signature::one_of(
            vec![
                TypeSignature::Exact(vec![DataType::Utf8]),
                TypeSignature::Exact(vec![DataType::Utf8, DataType::Boolean]),
            ],
            Volatility::Stable,
        ),
    };
    let set = SetConfig {
        settings: Mutex::new(scope.settings.clone()),
        assignments: Arc::clone(&scope.assignments),
        signature: Signature::exact(vec![DataType::Utf8, DataType::Utf8, DataType::Boolean], Volatility::Volatile),
    };
    [ScalarUDF::from(current), ScalarUDF::from(set)]
}

struct CurrentSetting {
    settings: Settings,
    modes: Modes,
    /// Tells the functions of one statement from those of another.
    assignments: Arc<Assignments>,
    signature: Signature,
}

impl CurrentSetting {
    fn value(&self, name: &str, missing_ok: bool) -> crate::Result<Option<String>> {
        let name = name.to_lowercase();
        if let Some(shown) = self.modes.shown(&name) {
            return Ok(Some(shown.to_owned()));
        }
        match self.settings.show(&name) {
            Ok(value) => Ok(Some(value)),
            Err(_missing) if missing_ok => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl ScalarUDFImpl for CurrentSetting {
    fn name(&self) -> &str {
        "current_setting"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays =
            call.args.iter().map(|argument| argument.to_array(call.number_rows)).collect::<Result<Vec<_>>>()?;
        let [names, missing_ok @ ..] = arrays.as_slice() else {
            return datafusion::common::internal_err!("current_setting takes one argument or two");
        };
        let names = as_string_array(names)?;
        let missing_ok = missing_ok.first().map(|array| as_boolean_array(array)).transpose()?;
        let values = names.iter().enumerate().map(|(row, name)| {
            let missing_ok = match missing_ok {
                Some(array) if array.is_null(row) => None,
                Some(array) => Some(array.value(row)),
                None => Some(false),
            };
            match (name, missing_ok) {
                (Some(name), Some(missing_ok)) => self.value(name, missing_ok),
                _ => Ok(None),
            }
        });
        let values: StringArray = values.collect::<crate::Result<_>>()?;
        Ok(ColumnarValue::Array(Arc::new(values)))
    }
}

struct SetConfig {
    /// As they will be after what was set before.
    settings: Mutex<Settings>,
    assignments: Arc<Assignments>,
    signature: Signature,
}

impl SetConfig {
    /// Notes what is to be set, and returns how it will be shown.
    fn set(&self, name: Option<&str>, value: Option<&str>, local: bool) -> crate::Result<String> {
        let Some(name) = name else {
            return Err(Error::new(Fault::NullNotAllowed, "SET requires parameter name; found NULL"));
        };
        let name = name.to_lowercase();
        let mut settings = lock(&self.settings);
        settings.set(&name, value, local)?;
        let shown = settings.show(&name)?;
        self.assignments.note(Assignment { name, value: value.map(str::to_owned), local })?;
        Ok(shown)
    }
}

impl ScalarUDFImpl for SetConfig {
    fn name(&self) -> &str {
        SET_CONFIG
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [names, values, local] = take_function_args(self.name(), &call.args)?;
        // Constants are set as often as there are rows, too.
        let [names, values, local] = [names, values, local].map(|argument| argument.to_array(call.number_rows));
        let (names, values, local) = (names?, values?, local?);
        let (names, values, local) = (as_string_array(&names)?, as_string_array(&values)?, as_boolean_array(&local)?);
        let rows = names.iter().zip(values).zip(local);
        let shown = rows.map(|((name, value), local)| self.set(name, value, local.unwrap_or(false)).map(Some));
        let shown: StringArray = shown.collect::<crate::Result<_>>()?;
        Ok(ColumnarValue::Array(Arc::new(shown)))
    }
}

/// What the two share: one is another's equal in the same statement alone.
macro_rules! of_one_statement {
    ($($function:ident),*) => {
        $(
            impl PartialEq for $function {
                fn eq(&self, other: &Self) -> bool {
                    Arc::ptr_eq(&self.assignments, &other.assignments)
                }
            }

            impl Eq for $function {}

            impl Hash for $function {
                fn hash<H: Hasher>(&self, state: &mut H) {
                    self.name().hash(state);
                }
            }

            impl fmt::Debug for $function {
                fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                    formatter.write_str(self.name())
                }
            }
        )*
    };
}

of_one_statement!(CurrentSetting, SetConfig);
