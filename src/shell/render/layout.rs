//! Which columns a screen has room for and how wide each is.

/// A column is not made narrower than this to make room for others.
const NARROWEST: usize = 8;

/// What stands between two columns: ` | `.
const SEPARATOR_WIDTH: usize = 3;

/// The blank before the first column and after the last one.
const EDGES_WIDTH: usize = 2;

/// Columns that are shown, from left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// The columns; none stands for those in the middle that have no room.
    pub(super) columns: Vec<Option<Column>>,
}

/// One shown column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    /// Its place in the result.
    pub(super) index: usize,
    /// Its width on the screen.
    pub(super) width: usize,
}

impl Layout {
    /// Gives each column the width it wants if the screen has it; else the widest give way first, and when all are
    /// narrow the middle ones are left out.
    pub(super) fn new(wanted: &[usize], screen_width: Option<usize>) -> Self {
        let Some(screen_width) = screen_width else {
            return Self::of(wanted, &(0..wanted.len()).collect::<Vec<_>>(), usize::MAX);
        };
        let narrow: Vec<usize> = wanted.iter().map(|width| (*width).min(NARROWEST)).collect();
        for shown in (1..=wanted.len()).rev() {
            let left = shown.div_ceil(2);
            let kept: Vec<usize> = (0..left).chain(wanted.len() - (shown - left)..wanted.len()).collect();
            // The mark for what was left out takes a column of width one.
            let mark = usize::from(shown < wanted.len());
            let edges = EDGES_WIDTH + SEPARATOR_WIDTH * (shown + mark - 1) + mark;
            let room = screen_width.saturating_sub(edges);
            if shown == 1 || kept.iter().map(|index| narrow[*index]).sum::<usize>() <= room {
                let most = widest(&kept.iter().map(|index| wanted[*index]).collect::<Vec<_>>(), room);
                return Self::of(wanted, &kept, most.max(1));
            }
        }
        Self { columns: Vec::new() }
    }

    /// Columns of the result that are shown.
    pub(super) fn shown(&self) -> usize {
        self.columns.iter().flatten().count()
    }

    fn of(wanted: &[usize], kept: &[usize], most: usize) -> Self {
        let mut columns = Vec::with_capacity(kept.len() + 1);
        for (place, index) in kept.iter().enumerate() {
            if *index != place && columns.len() == place {
                columns.push(None);
            }
            columns.push(Some(Column { index: *index, width: wanted[*index].min(most) }));
        }
        if kept.len() < wanted.len() && columns.iter().all(Option::is_some) {
            columns.push(None);
        }
        Self { columns }
    }
}

/// The largest width to cut columns to so that together they have room.
fn widest(wanted: &[usize], room: usize) -> usize {
    let mut widths = wanted.to_vec();
    widths.sort_unstable();
    let mut left = room;
    for (place, width) in widths.iter().enumerate() {
        let share = left / (widths.len() - place);
        if *width > share {
            return share;
        }
        left -= width;
    }
    usize::MAX
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn widths(wanted: &[usize], screen: usize) -> Vec<Option<usize>> {
        Layout::new(wanted, Some(screen)).columns.iter().map(|column| column.map(|column| column.width)).collect()
    }

    #[test]
    fn columns_that_have_room_keep_their_width() {
        assert_eq!(widths(&[5, 100], 200), [Some(5), Some(100)]);
        assert_eq!(widths(&[5, 10], 20), [Some(5), Some(10)]);
        assert_eq!(widths(&[], 80), []);
        let free = Layout::new(&[5, 1000], None);
        assert_eq!(free.columns[1].unwrap().width, 1000);
    }

    #[test]
    fn the_widest_give_way_first() {
        assert_eq!(widths(&[5, 100, 100], 80), [Some(5), Some(33), Some(33)]);
        assert_eq!(widths(&[5, 30, 100], 80), [Some(5), Some(30), Some(37)]);
        assert_eq!(widths(&[50], 20), [Some(18)]);
        assert_eq!(widths(&[50], 0), [Some(1)]);
    }

    #[test]
    fn middle_columns_are_left_out_when_all_are_narrow() {
        let layout = Layout::new(&[20; 30], Some(80));
        let shown: Vec<Option<usize>> = layout.columns.iter().map(|column| column.map(|column| column.index)).collect();
        assert_eq!(shown, [Some(0), Some(1), Some(2), Some(3), None, Some(27), Some(28), Some(29)]);
        let width: usize = layout.columns.iter().map(|column| column.map_or(1, |column| column.width)).sum();
        assert!(EDGES_WIDTH + width + SEPARATOR_WIDTH * 7 <= 80);
        assert_eq!(layout.shown(), 7);
    }

    #[test]
    fn no_screen_is_too_narrow() {
        for screen in 0..60 {
            let layout = Layout::new(&[9; 5], Some(screen));
            let width: usize = layout.columns.iter().map(|column| column.map_or(1, |column| column.width)).sum();
            let all = EDGES_WIDTH + width + SEPARATOR_WIDTH * (layout.columns.len() - 1);
            assert!(all <= screen.max(7), "{screen} columns hold {all}");
        }
    }
}
