//! `pg_notify`: says something on a channel when the transaction commits, once for each row.
//!
//! ```sql
//! SELECT pg_notify('orders', id::text) FROM orders WHERE paid
//! ```
//!
//! `pg_listening_channels` has the channels that the session listens to, a row each: a list of them here.
//! `pg_notification_queue_usage` says how full the room is for what sessions have not read yet.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, AsArray, Float64Array, StringArray},
    compute::cast,
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{Result, ScalarValue, utils::take_function_args},
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use crate::{
    Error, Fault,
    pgtype::{ColumnType, VOID},
    session::{Announcement, Client, Sessions},
};

/// The functions for the session of this number.
pub(super) fn functions(sessions: &Arc<Sessions>, pid: i32) -> [ScalarUDF; 3] {
    [Call::Notify, Call::Channels, Call::Usage].map(|call| {
        let signature = match call {
            Call::Notify => Signature::exact(vec![DataType::Utf8, DataType::Utf8], Volatility::Volatile),
            Call::Channels | Call::Usage => Signature::nullary(Volatility::Volatile),
        };
        ScalarUDF::from(Notify { call, sessions: Arc::clone(sessions), pid, signature })
    })
}

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Call {
    Notify,
    Channels,
    Usage,
}

#[derive(Debug)]
struct Notify {
    call: Call,
    sessions: Arc<Sessions>,
    pid: i32,
    signature: Signature,
}

impl ScalarUDFImpl for Notify {
    fn name(&self) -> &str {
        match self.call {
            Call::Notify => "pg_notify",
            Call::Channels => "pg_listening_channels",
            Call::Usage => "pg_notification_queue_usage",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What has no value is told as an empty text.
    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.call {
            Call::Notify => DataType::Utf8,
            Call::Channels => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
            Call::Usage => DataType::Float64,
        })
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(match self.call {
            Call::Notify => {
                let field = Field::new(self.name(), DataType::Utf8, true);
                field.with_metadata(ColumnType::plain(&VOID).metadata())
            }
            Call::Channels | Call::Usage => Field::new(self.name(), self.return_type(&[])?, true),
        }))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let client =
            self.sessions.find(self.pid).ok_or_else(|| Error::new(Fault::Internal, "the session has ended"))?;
        let rows = call.number_rows;
        let values: ArrayRef = match self.call {
            Call::Notify => {
                let [channels, payloads] = take_function_args(self.name(), &call.args)?;
                let (channels, payloads) = (texts(channels, rows)?, texts(payloads, rows)?);
                Arc::new(announced(&client, &channels, &payloads)?)
            }
            Call::Channels => {
                let channels: Vec<ScalarValue> = client.channels().into_iter().map(ScalarValue::from).collect();
                let channels = ScalarValue::new_list_nullable(&channels, &DataType::Utf8);
                return Ok(ColumnarValue::Scalar(ScalarValue::List(channels)));
            }
            Call::Usage => Arc::new(Float64Array::from(vec![client.notification_usage(); rows])),
        };
        Ok(ColumnarValue::Array(values))
    }
}

/// The texts of an argument, as many as there are rows: a constant is said as often, too.
fn texts(argument: &ColumnarValue, rows: usize) -> Result<StringArray> {
    Ok(cast(&argument.to_array(rows)?, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// NULL is said as the empty text.
fn announced(client: &Client, channels: &StringArray, payloads: &StringArray) -> crate::Result<StringArray> {
    let each = channels.iter().zip(payloads.iter()).map(|(channel, payload)| {
        let announcement = Announcement::notify(channel.unwrap_or_default(), payload.unwrap_or_default())?;
        client.announce(announcement)?;
        Ok(Some(""))
    });
    each.collect()
}

impl PartialEq for Notify {
    fn eq(&self, other: &Self) -> bool {
        self.call == other.call && self.pid == other.pid && Arc::ptr_eq(&self.sessions, &other.sessions)
    }
}

impl Eq for Notify {}

impl Hash for Notify {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.call, self.pid).hash(state);
    }
}
