//! Which rows an entity has.

/// The rows of each entity, ascending.
#[derive(Debug)]
pub(super) struct Index {
    offsets: Vec<usize>,
    rows: Vec<u32>,
}

impl Index {
    /// Groups the rows by their entity's number.
    pub(super) fn new(entities: usize, numbers: &[u32]) -> Self {
        let mut offsets = vec![0usize; entities + 1];
        for &entity in numbers {
            offsets[entity as usize + 1] += 1;
        }
        for entity in 0..entities {
            offsets[entity + 1] += offsets[entity];
        }
        let mut next = offsets.clone();
        let mut rows = vec![0u32; numbers.len()];
        for (row, &entity) in numbers.iter().enumerate() {
            rows[next[entity as usize]] = row as u32;
            next[entity as usize] += 1;
        }
        Self { offsets, rows }
    }

    /// The number of entities.
    pub(super) fn entities(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The rows of one entity.
    pub(super) fn rows(&self, entity: usize) -> &[u32] {
        &self.rows[self.offsets[entity]..self.offsets[entity + 1]]
    }
}
