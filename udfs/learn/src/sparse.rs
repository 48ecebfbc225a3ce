//! Compressed sparse rows, the shape in which features reach the solvers.

/// A sparse matrix of `rows` x `columns`, stored row by row; indices within a row ascend.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Csr {
    /// `rows + 1` offsets into `indices` and `values`.
    pub offsets: Vec<usize>,
    /// Column numbers.
    pub indices: Vec<u32>,
    /// Entries, parallel to `indices`.
    pub values: Vec<f32>,
    /// The number of columns.
    pub columns: usize,
}

impl Csr {
    /// A matrix of `rows` empty rows.
    pub fn empty(rows: usize, columns: usize) -> Self {
        Self { offsets: vec![0; rows + 1], indices: Vec::new(), values: Vec::new(), columns }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// The entries of one row: column numbers and values.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.offsets[row]..self.offsets[row + 1];
        (&self.indices[range.clone()], &self.values[range])
    }

    /// The same matrix by columns; rows within a column ascend.
    pub fn transposed(&self) -> Self {
        let mut offsets = vec![0usize; self.columns + 1];
        for &column in &self.indices {
            offsets[column as usize + 1] += 1;
        }
        for column in 0..self.columns {
            offsets[column + 1] += offsets[column];
        }
        let mut next = offsets.clone();
        let mut indices = vec![0u32; self.indices.len()];
        let mut values = vec![0f32; self.values.len()];
        for row in 0..self.rows() {
            let (columns, entries) = self.row(row);
            for (&column, &value) in columns.iter().zip(entries) {
                let at = &mut next[column as usize];
                indices[*at] = row as u32;
                values[*at] = value;
                *at += 1;
            }
        }
        Self { offsets, indices, values, columns: self.rows() }
    }
}
