//! What scans left out because the option `on_error` says so: each value or row, with the place it has in its file.
//!
//! A scan knows at which byte a wrong row begins, and its line is counted when somebody asks; or it knows the row's number,
//! of a sheet. What a file's earlier scan left out is forgotten when the file, or that sheet of it, is read again.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    Error,
    bytes::Input,
    options::invalid,
    text::{lines_of, shortened},
};

/// How many are kept.
const MAX_KEPT: usize = 100_000;
/// The longest value or row that is kept whole.
const MAX_VALUE_BYTES: usize = 1 << 20;
/// How many bytes of them are kept whole; what comes when there are so many is kept as a message would show it.
const MAX_KEPT_BYTES: usize = 64 << 20;

/// The option, as help shows it.
pub(super) const OPTION: (&str, &str) = (
    "on_error",
    "fail, skip or null: what becomes of a row with a value that does not fit the type that is given for its column, by \
     default the statement fails; fusewire.rejects lists what was left out",
);

/// What becomes of a value that is none of its column's type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum OnError {
    /// The statement fails.
    #[default]
    Fail,
    /// Its row is left out.
    Skip,
    /// It is NULL. A row that cannot be told apart into values is left out.
    Null,
}

impl OnError {
    pub(super) fn parse(value: Option<&str>) -> Result<Self, Error> {
        match value.map(str::to_ascii_lowercase).as_deref() {
            None | Some("fail") => Ok(Self::Fail),
            Some("skip") => Ok(Self::Skip),
            Some("null") => Ok(Self::Null),
            Some(value) => Err(invalid(OPTION.0, value, "fail, skip or null")),
        }
    }

    pub(super) fn is_lenient(self) -> bool {
        self != Self::Fail
    }
}

/// Where a row is in its file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spot {
    /// It begins at this byte, decompressed and without a byte order mark.
    Byte(u64),
    /// It is the row of this number, from 1, of a sheet.
    Row(Arc<str>, u64),
}

impl Spot {
    /// Whether a scan of a part of a file, or of a sheet of it, reads the row again.
    fn is_in(&self, (start, end): (u64, u64), sheet: Option<&str>) -> bool {
        match self {
            Self::Byte(at) => (start..end).contains(at),
            Self::Row(name, _) => sheet == Some(&**name),
        }
    }
}

/// A value, or a row, that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reject {
    /// Where its row is.
    pub(super) spot: Spot,
    /// Its column; none of a row that has no columns.
    pub(super) column: Option<String>,
    pub(super) value: String,
    /// What was expected, in words.
    pub(super) expected: String,
}

/// What was left out, as a table shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The file.
    pub file: String,
    /// The sheet, of a spreadsheet.
    pub sheet: Option<String>,
    /// The line on which the row begins, or the number of a sheet's row, from 1; none if the file has changed since.
    pub line: Option<u64>,
    /// The column; none of a row that has no columns.
    pub column: Option<String>,
    /// The value, or the row.
    pub value: String,
    /// What was expected, in words.
    pub expected: String,
}

/// What was left out of each file, by the files' names.
type Kept = BTreeMap<String, (Input, Vec<Reject>)>;

fn count_of(kept: &Kept) -> usize {
    kept.values().map(|(_, rows)| rows.len()).sum()
}

/// How many bytes the values have.
fn bytes_of(kept: &Kept) -> usize {
    kept.values().flat_map(|(_, rows)| rows).map(|reject| reject.value.len()).sum()
}

/// A value as it is kept where so many bytes are left for values.
fn kept_value(value: String, room: usize) -> String {
    match value.len() {
        length if length > room => shortened(&value),
        length if length > MAX_VALUE_BYTES => {
            let end = value.floor_char_boundary(MAX_VALUE_BYTES);
            format!("{}…", value.get(..end).unwrap_or_default())
        }
        _ => value,
    }
}

/// What the scans of one client left out.
pub struct Rejects {
    kept: Mutex<Kept>,
    tell: Box<dyn Fn(String) + Send + Sync>,
}

impl Default for Rejects {
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for Rejects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rejects").finish_non_exhaustive()
    }
}

impl Rejects {
    /// None yet; `tell` takes a remark for the client when a file was looked at or read.
    pub fn new(tell: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self { kept: Mutex::default(), tell: Box::new(tell) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets those of a part of a file, or of a sheet of it, which is read again.
    pub(super) fn forget(&self, input: &Input, range: (u64, u64), sheet: Option<&str>) {
        let mut kept = self.kept();
        if let Some((_, rows)) = kept.get_mut(&input.name) {
            rows.retain(|reject| !reject.spot.is_in(range, sheet));
        }
        kept.retain(|_, (_, rows)| !rows.is_empty());
    }

    pub(super) fn add(&self, input: &Input, rejects: Vec<Reject>) {
        let mut kept = self.kept();
        let room = MAX_KEPT.saturating_sub(count_of(&kept));
        let mut bytes = bytes_of(&kept);
        let (known, rows) = kept.entry(input.name.clone()).or_insert_with(|| (input.clone(), Vec::new()));
        *known = input.clone();
        rows.extend(rejects.into_iter().take(room).map(|reject| {
            let value = kept_value(reject.value, MAX_KEPT_BYTES.saturating_sub(bytes));
            bytes += value.len();
            Reject { value, ..reject }
        }));
    }

    /// Says something to the client.
    pub(super) fn remark(&self, remark: String) {
        (self.tell)(remark);
    }

    /// Says how many there were in a file, or in a part of it.
    pub(super) fn tell(&self, input: &Input, count: usize, on_error: OnError) {
        let what = match (on_error, count) {
            (OnError::Null, 1) => "1 value that does not fit is NULL, or its row left out".to_owned(),
            (OnError::Null, _) => format!("{count} values that do not fit are NULL, or their rows left out"),
            (_, 1) => "1 value does not fit, its row is left out".to_owned(),
            _ => format!("{count} values do not fit, their rows are left out"),
        };
        let is_full = count_of(&self.kept()) >= MAX_KEPT;
        let most = if is_full { format!(" up to {MAX_KEPT}") } else { String::new() };
        self.remark(format!("file {}: {what}; fusewire.rejects lists them{most}", input.name));
    }

    /// All there are, in the order of files and rows, with the lines counted.
    pub async fn list(&self) -> Result<Vec<Rejected>, Error> {
        let kept: Vec<_> = self.kept().values().cloned().collect();
        let mut all = Vec::new();
        for (input, mut rows) in kept {
            rows.sort_by(|left, right| (&left.spot, &left.column).cmp(&(&right.spot, &right.column)));
            // In a file that has changed since, or is gone, they have no lines.
            let lines = match input.is_unchanged().await {
                true => lines(&input, &rows).await?.into_iter().map(Some).collect(),
                false => vec![None; rows.len()],
            };
            all.extend(rows.into_iter().zip(lines).map(|(reject, line)| Rejected {
                file: input.name.clone(),
                sheet: match reject.spot {
                    Spot::Byte(_) => None,
                    Spot::Row(sheet, _) => Some(sheet.to_string()),
                },
                line,
                column: reject.column,
                value: reject.value,
                expected: reject.expected,
            }));
        }
        Ok(all)
    }
}

/// The lines or the rows of a file on which they begin; they come in the order of their spots.
async fn lines(input: &Input, rejects: &[Reject]) -> Result<Vec<u64>, Error> {
    let offsets = rejects.iter().filter_map(|reject| match reject.spot {
        Spot::Byte(at) => Some(at),
        Spot::Row(..) => None,
    });
    let offsets: Vec<_> = offsets.collect();
    let mut lines = if offsets.is_empty() { Vec::new() } else { lines_of(input, &offsets).await? };
    lines.extend(rejects.iter().filter_map(|reject| match reject.spot {
        Spot::Byte(_) => None,
        Spot::Row(_, row) => Some(row),
    }));
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_whole_while_there_is_room() {
        let line = "é".repeat(1000);
        assert_eq!(kept_value(line.clone(), MAX_KEPT_BYTES), line);
        assert_eq!(kept_value(line.clone(), 1999), shortened(&line));
        let long = kept_value("é".repeat(MAX_VALUE_BYTES), MAX_KEPT_BYTES);
        assert_eq!(long.len(), MAX_VALUE_BYTES + "…".len());
        let odd = kept_value(format!("x{}", "é".repeat(MAX_VALUE_BYTES)), MAX_KEPT_BYTES);
        assert_eq!(odd.len(), MAX_VALUE_BYTES - 1 + "…".len());
    }
}
