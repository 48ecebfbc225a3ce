//! `current_setting` and `set_config`: the session's settings in expressions.
//!
//! ```sql
//! SELECT set_config('search_path', 'sales, public', false), current_setting('timezone')
//! ```
//!
//! A setting is that of the statement's beginning. What the statement itself sets, the next one sees, and those of its calls
//! of `current_setting` that are computed after it: to the right of it, for each batch of rows.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
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
        Circumstances, Modes, Scope,
        assignments::{Assignment, Assignments},
        settings::{Settings, Shown},
    },
};

/// The name of the function that sets.
pub(crate) const SET_CONFIG: &str = "set_config";

/// The function that shows, in a statement with these circumstances.
pub(super) fn current_setting(circumstances: &Circumstances) -> ScalarUDF {
    CurrentSetting::function(circumstances, None)
}

/// The same in a statement that sets: it yields what was set so far, and is not computed before.
pub(super) fn following(scope: &Scope) -> ScalarUDF {
    CurrentSetting::function(scope.circumstances(), Some(Arc::clone(&scope.assignments)))
}

/// The function that sets, in the statement of a scope.
pub(super) fn set_config(scope: &Scope) -> ScalarUDF {
    ScalarUDF::from(SetConfig {
        settings: scope.settings.clone(),
        assignments: Arc::clone(&scope.assignments),
        signature: Signature::exact(vec![DataType::Utf8, DataType::Utf8, DataType::Boolean], Volatility::Volatile),
    })
}

struct CurrentSetting {
    settings: Shown,
    modes: Modes,
    /// What its statement sets, where it follows that.
    assignments: Option<Arc<Assignments>>,
    signature: Signature,
}

impl CurrentSetting {
    fn function(circumstances: &Circumstances, assignments: Option<Arc<Assignments>>) -> ScalarUDF {
        let volatility = if assignments.is_some() { Volatility::Volatile } else { Volatility::Stable };
        let forms = vec![
            TypeSignature::Exact(vec![DataType::Utf8]),
            TypeSignature::Exact(vec![DataType::Utf8, DataType::Boolean]),
        ];
        ScalarUDF::from(Self {
            settings: circumstances.settings.clone(),
            modes: circumstances.modes,
            assignments,
            signature: Signature::one_of(forms, volatility),
        })
    }

    fn value(&self, name: &str, missing_ok: bool) -> crate::Result<Option<String>> {
        let name = name.to_lowercase();
        let set = self.assignments.as_ref().and_then(|assignments| assignments.shown(&name));
        match set.unwrap_or_else(|| self.settings.show_in(self.modes, &name)) {
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
    /// Those of the statement's beginning.
    settings: Settings,
    assignments: Arc<Assignments>,
    signature: Signature,
}

impl SetConfig {
    /// Notes what is to be set, and returns how it will be shown.
    fn set(&self, name: Option<&str>, value: Option<&str>, local: bool) -> crate::Result<String> {
        let Some(name) = name else {
            return Err(Error::new(Fault::NullNotAllowed, "SET requires parameter name; found NULL"));
        };
        let assignment = Assignment { name: name.to_lowercase(), value: value.map(str::to_owned), local };
        self.assignments.note(&self.settings, assignment)
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

impl PartialEq for CurrentSetting {
    fn eq(&self, other: &Self) -> bool {
        let follow_the_same = match (&self.assignments, &other.assignments) {
            (None, None) => true,
            (Some(own), Some(others)) => Arc::ptr_eq(own, others),
            _ => false,
        };
        follow_the_same && self.modes == other.modes && self.settings == other.settings
    }
}

/// One is another's equal in the same statement alone.
impl PartialEq for SetConfig {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.assignments, &other.assignments)
    }
}

/// What the two share.
macro_rules! by_name {
    ($($function:ident),*) => {
        $(
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

by_name!(CurrentSetting, SetConfig);
