//! `pg_cancel_backend` and `pg_terminate_backend`: what a session asks of another one, by its number.
//!
//! ```sql
//! SELECT pg_cancel_backend(pid) FROM fusewire.sessions WHERE query_start < now() - INTERVAL '1 hour'
//! ```
//!
//! They ask when they are computed, once for each row, and not while a statement is planned.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow::{
    array::{AsArray, BooleanArray},
    datatypes::{DataType, Int64Type},
};
use datafusion::{
    common::{Result, utils::take_function_args},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};
use tokio::sync::mpsc::UnboundedSender;

use crate::session::{Notice, Sessions};

/// Both functions, for a session that hears these notices.
pub(super) fn functions(sessions: &Arc<Sessions>, notices: &UnboundedSender<Notice>) -> [ScalarUDF; 2] {
    [Request::Cancel, Request::Terminate].map(|request| {
        ScalarUDF::from(Signal {
            request,
            sessions: Arc::clone(sessions),
            notices: notices.clone(),
            signature: Signature::uniform(1, vec![DataType::Int64], Volatility::Volatile),
        })
    })
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Request {
    /// That the statement ends which runs.
    Cancel,
    /// That the session ends.
    Terminate,
}

#[derive(Debug)]
struct Signal {
    request: Request,
    sessions: Arc<Sessions>,
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

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [pids] = take_function_args(self.name(), &call.args)?;
        // A constant is asked for as often as there are rows, too.
        let pids = pids.to_array(call.number_rows)?;
        let asked = pids.as_primitive::<Int64Type>().iter().map(|pid| pid.map(|pid| self.ask(pid)));
        Ok(ColumnarValue::Array(Arc::new(asked.collect::<BooleanArray>())))
    }
}

impl Signal {
    /// Whether there is somebody to be asked, who is.
    fn ask(&self, pid: i64) -> bool {
        let Some(session) = i32::try_from(pid).ok().and_then(|pid| self.sessions.find(pid)) else {
            let text = format!("PID {pid} is not a PostgreSQL backend process");
            // Nobody listening is no error.
            let _ = self.notices.send(Notice::Warning { fault: None, text });
            return false;
        };
        match self.request {
            Request::Cancel => session.request_cancel(),
            Request::Terminate => session.terminate(),
        }
        true
    }
}

impl PartialEq for Signal {
    fn eq(&self, other: &Self) -> bool {
        self.request == other.request
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
    use arrow::{array::Int64Array, datatypes::Field};
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
        for function in functions(&Arc::default(), &sender) {
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
        let [cancel, terminate] = functions(&sessions, &sender);
        assert_ne!(cancel, terminate);
        let [again, _] = functions(&sessions, &sender);
        assert_eq!(cancel, again);
        assert!([cancel, terminate].iter().all(|function| function.signature().volatility == Volatility::Volatile));
    }
}
