//! The one line on a terminal that says how far a long statement has come.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use super::render::{fit, printable};

/// Statements that end sooner leave no line behind, not even for a moment.
const PATIENCE: Duration = Duration::from_millis(500);

/// Without anything to report, the elapsed time alone is shown this late.
const SILENCE: Duration = Duration::from_secs(3);

/// How far a statement has come, as the engine told last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stage {
    pub(super) phase: String,
    pub(super) done: u64,
    pub(super) total: u64,
    pub(super) loss: Option<f64>,
}

/// Draws and erases the line.
#[derive(Debug)]
pub(super) struct Progress {
    enabled: bool,
    width: usize,
    started: Instant,
    stage: Option<Stage>,
    drawn: bool,
}

impl Progress {
    /// Progress on standard error, if that is a terminal.
    pub(super) fn new(enabled: bool, width: usize) -> Self {
        Self { enabled, width, started: Instant::now(), stage: None, drawn: false }
    }

    /// A statement begins.
    pub(super) fn start(&mut self) {
        self.started = Instant::now();
        self.stage = None;
    }

    /// The engine told how far it has come.
    pub(super) fn note(&mut self, stage: Stage) {
        self.stage = Some(stage);
    }

    /// Draws the line anew if the statement has run for long enough.
    pub(super) fn draw(&mut self) {
        if !self.enabled {
            return;
        }
        if let Some(line) = line(self.stage.as_ref(), self.started.elapsed(), self.width) {
            self.show(&format!("\r\x1b[2K{line}"));
            self.drawn = true;
        }
    }

    /// Removes the line, so that something else can be written.
    pub(super) fn erase(&mut self) {
        if std::mem::take(&mut self.drawn) {
            self.show("\r\x1b[2K");
        }
    }

    /// Progress is a courtesy: a terminal that is gone is noticed where the result is written.
    fn show(&self, text: &str) {
        let mut terminal = io::stderr().lock();
        let _ = terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush());
    }
}

/// The line, if it is time for one; one column is left free so that terminals don't wrap.
fn line(stage: Option<&Stage>, elapsed: Duration, width: usize) -> Option<String> {
    let seconds = elapsed.as_secs();
    let clock = format!("{}:{:02}", seconds / 60, seconds % 60);
    let text = match stage {
        Some(stage) if elapsed >= PATIENCE => {
            let percent = stage.done.saturating_mul(100).checked_div(stage.total);
            let percent = percent.map(|percent| format!(" of {} ({percent} %)", stage.total)).unwrap_or_default();
            let loss = stage.loss.map(|loss| format!(", loss {loss:.4}")).unwrap_or_default();
            format!("{} {}{percent}{loss}, {clock}", printable(&stage.phase), stage.done)
        }
        None if elapsed >= SILENCE => format!("running {clock}, Ctrl-C cancels"),
        _ => return None,
    };
    Some(fit(&text, width.saturating_sub(1).max(1)).into_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn stage(total: u64, loss: Option<f64>) -> Stage {
        Stage { phase: "train taste: epoch".to_owned(), done: 12, total, loss }
    }

    #[test]
    fn a_line_says_phase_share_loss_and_time() {
        let text = line(Some(&stage(50, Some(0.70341))), Duration::from_secs(68), 80).unwrap();
        assert_eq!(text, "train taste: epoch 12 of 50 (24 %), loss 0.7034, 1:08");
        let text = line(Some(&stage(0, None)), Duration::from_secs(1), 80).unwrap();
        assert_eq!(text, "train taste: epoch 12, 0:01");
    }

    #[test]
    fn short_statements_show_nothing() {
        assert_eq!(line(Some(&stage(50, None)), Duration::from_millis(499), 80), None);
        assert_eq!(line(None, Duration::from_secs(2), 80), None);
        assert_eq!(line(None, Duration::from_secs(4), 80).unwrap(), "running 0:04, Ctrl-C cancels");
    }

    #[test]
    fn the_line_never_wraps() {
        assert_eq!(line(Some(&stage(50, None)), Duration::from_secs(1), 16).unwrap(), "train taste: e…");
    }
}
