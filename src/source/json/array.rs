//! Makes an array of objects a sequence of objects: what belongs to the array alone becomes blanks.
//!
//! The number of bytes and lines stays the same, so that positions in the result are positions in the file.

/// Follows an array from its first byte on.
#[derive(Debug, Default)]
pub(super) struct ArrayItems {
    state: State,
    depth: usize,
    quoted: bool,
    escaped: bool,
    line: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    BeforeArray,
    FirstItemOrEnd,
    Item,
    CommaOrEnd,
    NextItem,
    AfterArray,
}

/// What is wrong with an array, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ArrayFault {
    /// The line, from 1.
    pub(super) line: u64,
    /// Which of the bytes given last is the first wrong one.
    pub(super) offset: usize,
    pub(super) reason: String,
}

impl ArrayItems {
    /// Blanks the array's own brackets and commas.
    pub(super) fn blank(&mut self, bytes: &mut [u8]) -> Result<(), ArrayFault> {
        for (offset, byte) in bytes.iter_mut().enumerate() {
            let own = self.is_own(*byte).map_err(|fault| ArrayFault { offset, ..fault })?;
            if own {
                *byte = b' ';
            }
            self.line += u64::from(*byte == b'\n');
        }
        Ok(())
    }

    /// Called at the end of the file.
    pub(super) fn finish(&self) -> Result<(), ArrayFault> {
        match self.state {
            State::AfterArray => Ok(()),
            _ => Err(self.fault("the file ends inside the array")),
        }
    }

    fn fault(&self, reason: &str) -> ArrayFault {
        ArrayFault { line: self.line + 1, offset: 0, reason: reason.to_owned() }
    }

    fn is_own(&mut self, byte: u8) -> Result<bool, ArrayFault> {
        if self.state == State::Item {
            return Ok(self.follow_item(byte));
        }
        if byte.is_ascii_whitespace() {
            return Ok(false);
        }
        self.state = match (self.state, byte) {
            (State::BeforeArray, b'[') => State::FirstItemOrEnd,
            (State::FirstItemOrEnd | State::CommaOrEnd, b']') => State::AfterArray,
            (State::CommaOrEnd, b',') => State::NextItem,
            (State::FirstItemOrEnd | State::NextItem, b'{') => {
                self.depth = 1;
                self.state = State::Item;
                return Ok(false);
            }
            (State::FirstItemOrEnd | State::NextItem, _) => return Err(self.fault("expected an object in the array")),
            (State::CommaOrEnd, _) => return Err(self.fault("expected , or ] after an object of the array")),
            (_, _) => return Err(self.fault("expected nothing after the array")),
        };
        Ok(true)
    }

    fn follow_item(&mut self, byte: u8) -> bool {
        if self.quoted {
            let ends = byte == b'"' && !self.escaped;
            self.escaped = byte == b'\\' && !self.escaped;
            self.quoted = !ends;
            return false;
        }
        match byte {
            b'"' => self.quoted = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth == 0 {
            self.state = State::CommaOrEnd;
        }
        false
    }
}
