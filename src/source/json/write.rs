//! `COPY … TO 'file.json'`: an object a line that is read back as it was. NULL is written, and so are NaN and the infinities.

use std::sync::Arc;

use arrow::{array::RecordBatch, json::writer::LineDelimited};
use bytes::Bytes;
use datafusion::{common::Result, datasource::file_format::write::BatchSerializer};

use super::super::{unwritable, write::Writers};
use crate::print;

/// What writes JSON files.
pub(super) const LINES: Writers =
    Writers { name: "json", options: &["encoding", "compression"], serializer: |_| Ok(Arc::new(Serializer)) };

struct Serializer;

impl BatchSerializer for Serializer {
    fn serialize(&self, batch: RecordBatch, _: bool) -> Result<Bytes> {
        unwritable::check(&batch, LINES.name)?;
        let mut writer = print::json_writers().build::<_, LineDelimited>(Vec::new());
        writer.write(&batch)?;
        writer.finish()?;
        Ok(Bytes::from(writer.into_inner()))
    }
}
