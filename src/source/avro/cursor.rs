//! Walks through bytes as Avro encodes them, a value at a time.
//!
//! Nothing is taken for as long as it says it is: what is longer than the bytes that follow is cut off.

/// How many values of one record may take no bytes, so that a few bytes never stand for endless ones.
pub(super) const MAX_FREE: usize = 1 << 22;

/// The longest number, in bytes: ten times seven bits hold the 64 of a long.
const MAX_NUMBER_BYTES: usize = 10;

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The bytes end within it.
    Short,
    /// It is none, for this reason.
    Wrong(String),
}

impl Fault {
    /// What is wrong with the bytes.
    pub(super) fn wrong<T>(reason: impl Into<String>) -> Result<T, Self> {
        Err(Self::Wrong(reason.into()))
    }

    /// The fault of a value in a column of a record of the file, counted from 1.
    pub(super) fn within(self, record: u64, column: &str) -> Self {
        match self {
            Self::Short => Self::Short,
            Self::Wrong(reason) => Self::Wrong(format!("in its record {record}, column {column}, {reason}")),
        }
    }

    /// What is wrong with a block, in words.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Short => "a block ends within its records".to_owned(),
            Self::Wrong(reason) => reason,
        }
    }
}

/// A place in bytes.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    free: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, free: 0 }
    }

    /// How many bytes follow.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Counts a value that takes no bytes.
    pub(super) fn free(&mut self) -> Result<(), Fault> {
        self.free += 1;
        if self.free > MAX_FREE {
            return Fault::wrong(format!("a record has more than {MAX_FREE} values that take no bytes"));
        }
        Ok(())
    }

    /// How many such values there were since this was asked.
    pub(super) fn take_free(&mut self) -> usize {
        std::mem::take(&mut self.free)
    }

    /// So many bytes.
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Fault::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// So many bytes, where the type says how many.
    pub(super) fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], Fault> {
        self.take(LENGTH)?.try_into().map_err(|_| Fault::Short)
    }

    /// The bytes of a fixed size, or as many as are said before them.
    pub(super) fn sized(&mut self, size: Option<usize>) -> Result<&'a [u8], Fault> {
        match size {
            Some(0) => self.free().map(|()| <&[u8]>::default()),
            Some(size) => self.take(size),
            None => self.bytes(),
        }
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.length()?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Fault> {
        simdutf8::basic::from_utf8(self.bytes()?).or_else(|_| Fault::wrong("a text is not UTF-8"))
    }

    pub(super) fn boolean(&mut self) -> Result<bool, Fault> {
        match self.array::<1>()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [other] => Fault::wrong(format!("{other} is no truth value")),
        }
    }

    pub(super) fn int(&mut self) -> Result<i32, Fault> {
        let value = self.long()?;
        i32::try_from(value).or_else(|_| Fault::wrong(format!("{value} is out of the range of an int")))
    }

    /// A number: seven bits a byte, the lowest first, and of these bits the lowest is that of the sign.
    pub(super) fn long(&mut self) -> Result<i64, Fault> {
        let mut bits = 0_u64;
        let bytes = self.rest;
        for (place, byte) in bytes.iter().take(MAX_NUMBER_BYTES).enumerate() {
            bits |= u64::from(byte & 0x7F) << (7 * place);
            // The tenth byte has room for one bit.
            if place + 1 == MAX_NUMBER_BYTES && *byte > 1 {
                break;
            }
            if byte & 0x80 == 0 {
                self.take(place + 1)?;
                return Ok((bits >> 1) as i64 ^ -((bits & 1) as i64));
            }
        }
        if bytes.len() < MAX_NUMBER_BYTES { Err(Fault::Short) } else { Fault::wrong("a number is longer than 64 bits") }
    }

    /// A number that is a length or an index.
    pub(super) fn length(&mut self) -> Result<usize, Fault> {
        let value = self.long()?;
        usize::try_from(value).or_else(|_| Fault::wrong(format!("{value} is no length")))
    }

    /// How many items of a list or map follow before this is asked again; none: it ends.
    pub(super) fn items(&mut self) -> Result<u64, Fault> {
        let count = self.long()?;
        if count < 0 {
            // How many bytes they take, for those who pass over them.
            self.length()?;
        }
        Ok(count.unsigned_abs())
    }
}
