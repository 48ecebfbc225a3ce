//! A result with one value a line, and query plans, whose drawing columns would cut.

use std::io::Write;

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    Flow, RenderError, Style,
    cell::{Cells, printable, width},
    count_line,
};

/// The longest that names are padded to.
const PADDING_MAX: usize = 40;

/// Writes a result with one value a line.
pub(crate) struct Expanded {
    titles: Vec<String>,
    style: Style,
    plan: bool,
    rows: u64,
    cut: bool,
}

impl Expanded {
    pub(super) fn new(schema: SchemaRef, style: &Style) -> Self {
        let titles = schema.fields().iter().map(|field| printable(field.name()).replace('\n', " ")).collect();
        Self { titles, style: *style, plan: false, rows: 0, cut: false }
    }

    /// For EXPLAIN: its lines as they were drawn, all of them.
    pub(super) fn plan(schema: SchemaRef, style: &Style) -> Self {
        Self { plan: true, ..Self::new(schema, style) }
    }

    pub(super) fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<Flow, RenderError> {
        let cells = Cells::new(batch)?;
        for row in 0..batch.num_rows() {
            if !self.plan && self.style.rows_max.is_some_and(|most| self.rows >= most) {
                self.cut = true;
                return Ok(Flow::Enough);
            }
            self.rows += 1;
            let values = (0..self.titles.len()).map(|column| cells.text(row, column)).collect::<Result<Vec<_>, _>>()?;
            match self.plan {
                true => Self::write_plan(&values, out)?,
                false => self.write_record(&values, out)?,
            }
        }
        Ok(Flow::More)
    }

    pub(super) fn finish(self, out: &mut dyn Write) -> Result<(), RenderError> {
        if !self.plan {
            writeln!(out, "{}", count_line(self.rows, self.cut, ""))?;
        }
        Ok(())
    }

    fn write_plan(values: &[Option<String>], out: &mut dyn Write) -> Result<(), RenderError> {
        let line = values.first().and_then(Option::as_deref).unwrap_or_default();
        writeln!(out, "{}", printable(line))?;
        Ok(())
    }

    fn write_record(&self, values: &[Option<String>], out: &mut dyn Write) -> Result<(), RenderError> {
        let title_width = self.titles.iter().map(|title| width(title)).max().unwrap_or(0).min(PADDING_MAX);
        let headline = format!("-[ record {} ]", self.rows);
        let rule = "-".repeat((title_width + 1).saturating_sub(headline.len()));
        writeln!(out, "{headline}{rule}{}", if rule.is_empty() { "" } else { "+" })?;
        for (title, value) in self.titles.iter().zip(values) {
            let padding = " ".repeat(title_width.saturating_sub(width(title)));
            let text = match value {
                Some(value) => printable(value).replace('\n', &format!("\n{} | ", " ".repeat(title_width))),
                None if self.style.colour => "\x1b[2mNULL\x1b[0m".to_owned(),
                None => "NULL".to_owned(),
            };
            writeln!(out, "{title}{padding} | {text}")?;
        }
        Ok(())
    }
}
