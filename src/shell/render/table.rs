//! A result in columns. The first rows are kept back to learn how wide the columns are; all later ones stream.

use std::io::Write;

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    Flow, RenderError, Style,
    cell::{Cells, ELLIPSIS, fit, is_number, printable, width},
    count_line,
    layout::Layout,
};

/// Rows and bytes that are kept back to measure columns.
const SAMPLE_ROWS: usize = 1000;
const SAMPLE_BYTES: usize = 4 << 20;

/// Without a screen nothing is cut, but one long value must not push every row that far.
const PADDING_MAX: usize = 120;

/// What a NULL is shown as.
const NULL: &str = "NULL";

/// Writes a result in columns.
pub(crate) struct Table {
    titles: Vec<String>,
    numbers: Vec<bool>,
    style: Style,
    sample: Vec<Vec<Option<String>>>,
    sample_bytes: usize,
    layout: Option<Layout>,
    rows: u64,
    cut: bool,
}

impl Table {
    pub(super) fn new(schema: SchemaRef, style: &Style) -> Self {
        let fields = schema.fields();
        Self {
            titles: fields.iter().map(|field| one_line(&printable(field.name()))).collect(),
            numbers: fields.iter().map(|field| is_number(field.data_type())).collect(),
            style: *style,
            sample: Vec::new(),
            sample_bytes: 0,
            layout: None,
            rows: 0,
            cut: false,
        }
    }

    pub(super) fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<Flow, RenderError> {
        let cells = Cells::new(batch)?;
        for row in 0..batch.num_rows() {
            if self.style.rows_max.is_some_and(|most| self.rows >= most) {
                self.cut = true;
                return Ok(Flow::Enough);
            }
            self.rows += 1;
            let texts =
                (0..self.titles.len()).map(|column| Ok(cells.text(row, column)?.map(|text| self.shorten(&text))));
            let texts = texts.collect::<Result<Vec<_>, RenderError>>()?;
            match self.layout.take() {
                Some(layout) => {
                    self.write_row(&layout, &texts, out)?;
                    self.layout = Some(layout);
                }
                None => {
                    self.sample_bytes += texts.iter().flatten().map(String::len).sum::<usize>();
                    self.sample.push(texts);
                    if self.sample.len() >= SAMPLE_ROWS || self.sample_bytes >= SAMPLE_BYTES {
                        self.write_sample(out)?;
                    }
                }
            }
        }
        Ok(Flow::More)
    }

    pub(super) fn finish(mut self, out: &mut dyn Write) -> Result<(), RenderError> {
        if self.layout.is_none() {
            self.write_sample(out)?;
        }
        let shown = self.layout.as_ref().map_or(0, Layout::shown);
        let remark = match shown < self.titles.len() {
            true => format!(", {shown} of {} columns: \\x shows all", self.titles.len()),
            false => String::new(),
        };
        writeln!(out, "{}", count_line(self.rows, self.cut, &remark))?;
        Ok(())
    }

    /// On a screen nothing beyond its width is worth keeping.
    fn shorten(&self, text: &str) -> String {
        let text = printable(text);
        match self.style.screen_width {
            Some(screen) if !text.contains('\n') => fit(&text, screen.max(1)).into_owned(),
            _ => text.into_owned(),
        }
    }

    /// Settles the widths and writes the header and the rows that were kept back.
    fn write_sample(&mut self, out: &mut dyn Write) -> Result<(), RenderError> {
        let mut wanted: Vec<usize> = self.titles.iter().map(|title| width(title).max(1)).collect();
        for row in &self.sample {
            for (column, text) in row.iter().enumerate() {
                let lines = text.as_deref().unwrap_or(NULL).split('\n');
                let widest = lines.map(width).max().unwrap_or(0);
                let widest = if self.style.screen_width.is_none() { widest.min(PADDING_MAX) } else { widest };
                wanted[column] = wanted[column].max(widest);
            }
        }
        let layout = Layout::new(&wanted, self.style.screen_width);
        if !self.titles.is_empty() {
            self.write_header(&layout, out)?;
        }
        for row in std::mem::take(&mut self.sample) {
            self.write_row(&layout, &row, out)?;
        }
        self.layout = Some(layout);
        Ok(())
    }

    fn write_header(&self, layout: &Layout, out: &mut dyn Write) -> Result<(), RenderError> {
        let titles: Vec<Option<String>> = self.titles.iter().cloned().map(Some).collect();
        let (begin, end) = if self.style.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        writeln!(out, "{begin}{}{end}", self.line(layout, &titles, 0, false))?;
        let rules: Vec<String> =
            layout.columns.iter().map(|column| "-".repeat(column.map_or(1, |column| column.width) + 2)).collect();
        writeln!(out, "{}", rules.join("+"))?;
        Ok(())
    }

    fn write_row(&self, layout: &Layout, row: &[Option<String>], out: &mut dyn Write) -> Result<(), RenderError> {
        // A result may have rows without columns; they are only counted.
        let lines = |text: &Option<String>| text.as_deref().map_or(1, |text| text.split('\n').count());
        let shown = layout.columns.iter().flatten().filter_map(|column| row.get(column.index));
        for line in 0..shown.map(lines).max().unwrap_or(0) {
            writeln!(out, "{}", self.line(layout, row, line, self.style.colour))?;
        }
        Ok(())
    }

    /// One line of a row: the n-th line of each of its values.
    fn line(&self, layout: &Layout, row: &[Option<String>], line: usize, colour: bool) -> String {
        let mut text = String::new();
        for (place, column) in layout.columns.iter().enumerate() {
            text.push_str(if place == 0 { " " } else { " | " });
            let Some(column) = column else {
                text.push(ELLIPSIS);
                continue;
            };
            let value = row.get(column.index).and_then(Option::as_deref);
            let part =
                value.map_or(if line == 0 { NULL } else { "" }, |value| value.split('\n').nth(line).unwrap_or(""));
            let part = match self.style.screen_width {
                Some(_) => fit(part, column.width),
                None => part.into(),
            };
            let padding = " ".repeat(column.width.saturating_sub(width(&part)));
            let painted = if colour && value.is_none() { format!("\x1b[2m{part}\x1b[0m") } else { part.into_owned() };
            match self.numbers.get(column.index) {
                Some(true) => text.extend([padding, painted]),
                _ => text.extend([painted, padding]),
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}
