//! `pg_cancel_backend` and `pg_terminate_backend`: what a session asks of another one, by its number.
//!
//! ```sql
//! SELECT pg_cancel_backend(pid) FROM fusewire.sessions WHERE query_start < now() - INTERVAL '1 hour'
//! ```
//!
//! The second can wait for the end, as in `pg_terminate_backend(42, 5000)`. They ask when they are computed, once for each
//! row, and not while a statement is planned.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array},
    compute::cast,
    datatypes::{DataType, Field, FieldRef, Int64Type},
};
use datafusion::{
    common::{DataFusionError, Result, types::logical_string},
    logical_expr::{
        Coercion, ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        TypeSignature, TypeSignatureClass, Volatility,
    },
};
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    Error, Fault,
    session::{Notice, Sessions},
};

/// Both functions, for the session of this number that hears these notices.
pub(super) fn functions(sessions: &Arc<Sessions>, pid: i32, notices: &UnboundedSender<Notice>) -> [ScalarUDF; 2] {
    [Request::Cancel, Request::Terminate].map(|request| {
        ScalarUDF::from(Signal {
            request,
            sessions: Arc::clone(sessions),
            own: pid,
            notices: notices.clone(),
            signature: Signature::one_of(request.forms(), Volatility::Volatile),
        })
    })
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Request {
    /// That the statement ends which runs.
    Cancel,
    /// That the session ends; with a second argument it is waited for, so many milliseconds at most.
    Terminate,
}

impl Request {
    /// Numbers, or texts that are written where numbers are taken.
    fn forms(self) -> Vec<TypeSignature> {
        let number = || DataType::Int64;
        let text = || Coercion::new_exact(TypeSignatureClass::Native(logical_string()));
        let one = vec![TypeSignature::Exact(vec![number()]), TypeSignature::Coercible(vec![text()])];
        match self {
            Self::Cancel => one,
            Self::Terminate => {
                let whole = Coercion::new_exact(TypeSignatureClass::Integer);
                let two = vec![
                    TypeSignature::Exact(vec![number(), number()]),
                    TypeSignature::Coercible(vec![text(), whole.clone()]),
                    TypeSignature::Coercible(vec![whole, text()]),
                    TypeSignature::Coercible(vec![text(), text()]),
                ];
                one.into_iter().chain(two).collect()
            }
        }
    }
}

#[derive(Debug)]
struct Signal {
    request: Request,
    sessions: Arc<Sessions>,
    /// The number of the session that asks.
    own: i32,
    notices: UnboundedSender<Notice>,
    signature: Signature,
}

impl ScalarUDFImpl for Signal {
    fn name(&self) -> &str {
        match self.request {
            Request::Cancel => "pg_cancel_backend",
            Request::Terminate => "pg_terminate_backend",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    /// A text that is written out is the number that it says, and no other text is one.
    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        for (field, value) in arguments.arg_fields.iter().zip(arguments.scalar_arguments) {
            if !field.data_type().is_string() {
                continue;
            }
            let Some(written) = value else {
                let message = format!("function {}(text) does not exist; cast the text to a number", self.name());
                return Err(Error::new(Fault::UndefinedFunction, message).into());
            };
            written.try_as_str().flatten().map(whole).transpose()?;
        }
        Ok(Arc::new(Field::new(self.name(), DataType::Boolean, true)))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // A constant is asked for as often as there are rows, too.
        let numbers: Vec<Int64Array> = call
            .args
            .iter()
            .map(|argument| numbers(&argument.to_array(call.number_rows)?))
            .collect::<crate::Result<_>>()?;
        let at = |array: &Int64Array, row: usize| array.is_valid(row).then(|| array.value(row));
        let asked = (0..call.number_rows).map(|row| match numbers.as_slice() {
            [pids] => at(pids, row).map(|pid| self.ask(pid, 0)).transpose(),
            [pids, limits] => match (at(pids, row), at(limits, row)) {
                (Some(pid), Some(limit)) => self.ask(pid, limit).map(Some),
                _ => Ok(None),
            },
            _ => Err(Error::new(Fault::Internal, "a session was asked with other arguments than the function takes")),
        });
        Ok(ColumnarValue::Array(Arc::new(asked.collect::<crate::Result<BooleanArray>>()?)))
    }
}

impl Signal {
    /// Whether there is somebody to be asked, who is; with a limit in milliseconds, whether the session has ended by then.
    fn ask(&self, pid: i64, limit_ms: i64) -> crate::Result<bool> {
        let Ok(limit_ms) = u64::try_from(limit_ms) else {
            return Err(Error::new(Fault::NumericOutOfRange, "\"timeout\" must not be negative"));
        };
        let number = i32::try_from(pid).ok();
        let Some(session) = number.and_then(|number| self.sessions.find(number)) else {
            self.warn(format!("PID {pid} is not a PostgreSQL backend process"));
            return Ok(false);
        };
        match self.request {
            Request::Cancel => session.request_cancel(),
            Request::Terminate => session.terminate(),
        }
        // It is there for as long as somebody has it.
        drop(session);
        if limit_ms == 0 {
            return Ok(true);
        }
        let is_over = || number.and_then(|number| self.sessions.find(number)).is_none();
        let own = self.sessions.find(self.own).ok_or_else(|| Error::new(Fault::Internal, "the session has ended"))?;
        let ended = own.wait(Duration::from_millis(limit_ms), is_over)?;
        if !ended {
            self.warn(format!("backend with PID {pid} did not terminate within {limit_ms} milliseconds"));
        }
        Ok(ended)
    }

    fn warn(&self, text: String) {
        // Nobody listening is no error.
        let _ = self.notices.send(Notice::Warning { fault: None, text });
    }
}

/// The numbers of an argument.
fn numbers(argument: &ArrayRef) -> crate::Result<Int64Array> {
    let as_type = |data_type: &DataType| cast(argument, data_type).map_err(DataFusionError::from);
    if argument.data_type().is_string() {
        return as_type(&DataType::Utf8)?.as_string::<i32>().iter().map(|text| text.map(whole).transpose()).collect();
    }
    Ok(as_type(&DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

/// The number that a text says.
fn whole(text: &str) -> crate::Result<i64> {
    text.trim()
        .parse()
        .map_err(|_| Error::new(Fault::InvalidText, format!("invalid input syntax for type integer: \"{text}\"")))
}

impl PartialEq for Signal {
    fn eq(&self, other: &Self) -> bool {
        self.request == other.request
            && self.own == other.own
            && Arc::ptr_eq(&self.sessions, &other.sessions)
            && self.notices.same_channel(&other.notices)
    }
}

impl Eq for Signal {}

impl Hash for Signal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.request.hash(state);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::common::ScalarValue;
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    fn called(function: &ScalarUDF, pids: ColumnarValue, number_rows: usize) -> BooleanArray {
        let call = ScalarFunctionArgs {
            arg_fields: vec![Arc::new(Field::new("pid", pids.data_type(), true))],
            args: vec![pids],
            number_rows,
            return_field: Arc::new(Field::new("asked", DataType::Boolean, true)),
            config_options: Arc::default(),
        };
        let asked = function.invoke_with_args(call).unwrap().into_array(number_rows).unwrap();
        asked.as_boolean().clone()
    }

    /// The words are PostgreSQL 15's.
    #[test]
    fn each_row_asks_and_nobody_there_is_told() {
        let (sender, mut notices) = unbounded_channel();
        let mut told = || -> Vec<String> {
            std::iter::from_fn(|| notices.try_recv().ok())
                .map(|notice| match notice {
                    Notice::Warning { fault: None, text } => text,
                    other => panic!("{other:?}"),
                })
                .collect()
        };
        for function in functions(&Arc::default(), 1, &sender) {
            let pids = ColumnarValue::Array(Arc::new(Int64Array::from(vec![Some(99_998), None, Some(-1)])));
            assert_eq!(called(&function, pids, 3), BooleanArray::from(vec![Some(false), None, Some(false)]));
            let expected = [99_998, -1].map(|pid| format!("PID {pid} is not a PostgreSQL backend process"));
            assert_eq!(told(), expected);
            let constant = || ColumnarValue::Scalar(ScalarValue::Int64(Some(5_000_000_000)));
            assert_eq!(called(&function, constant(), 2), BooleanArray::from(vec![false, false]));
            assert_eq!(told().len(), 2);
            assert_eq!(called(&function, constant(), 0).len(), 0);
            assert!(told().is_empty());
        }
    }

    #[test]
    fn both_are_functions_of_their_own() {
        let (sender, _notices) = unbounded_channel();
        let sessions = Arc::default();
        let [cancel, terminate] = functions(&sessions, 1, &sender);
        assert_ne!(cancel, terminate);
        let [again, _] = functions(&sessions, 1, &sender);
        assert_eq!(cancel, again);
        assert!([cancel, terminate].iter().all(|function| function.signature().volatility == Volatility::Volatile));
    }
}
