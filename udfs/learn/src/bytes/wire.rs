//! Numbers and lists as little-endian bytes. Nothing here knows what they mean.

use crate::error::{Error, Result};

/// Appends numbers in little-endian order.
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(super) fn flag(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn f64(&mut self, value: f64) {
        self.u64(value.to_bits());
    }

    pub(super) fn text(&mut self, value: &str) {
        self.u64(value.len() as u64);
        self.0.extend_from_slice(value.as_bytes());
    }

    pub(super) fn f32s(&mut self, values: &[f32]) {
        self.list(values, |out, &value| out.u32(value.to_bits()));
    }

    pub(super) fn list<T>(&mut self, values: &[T], each: impl Fn(&mut Self, &T)) {
        self.u64(values.len() as u64);
        values.iter().for_each(|value| each(self, value));
    }

    pub(super) fn option<T>(&mut self, value: &Option<T>, some: impl Fn(&mut Self, &T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            some(self, value);
        }
    }
}

/// Takes numbers from what is left of a section.
pub(super) struct Reader<'a> {
    pub(super) left: &'a [u8],
    pub(super) section: &'static str,
}

impl<'a> Reader<'a> {
    pub(super) fn corrupt(&self, what: &str) -> Error {
        Error::Corrupt(format!("the model's section {} {what}", self.section))
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let Some((taken, left)) = self.left.split_at_checked(length) else {
            return Err(self.corrupt("is cut short"));
        };
        self.left = left;
        Ok(taken)
    }

    /// A number of things that take at least `size` bytes each: no more than there are bytes for.
    pub(super) fn length(&mut self, size: usize) -> Result<usize> {
        let length = usize::try_from(self.u64()?).ok().filter(|&length| length <= self.left.len() / size);
        length.ok_or_else(|| self.corrupt("has a length beyond its end"))
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        Ok(fixed::<1>(self.take(1)?)[0])
    }

    pub(super) fn flag(&mut self) -> Result<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.corrupt("has a flag that is neither set nor clear")),
        }
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(fixed(self.take(4)?)))
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(fixed(self.take(8)?)))
    }

    /// A finite number.
    pub(super) fn f64(&mut self) -> Result<f64> {
        let value = f64::from_bits(self.u64()?);
        if value.is_finite() { Ok(value) } else { Err(self.corrupt("has a number that is not finite")) }
    }

    /// A number that is not negative.
    pub(super) fn ridge(&mut self) -> Result<f64> {
        let value = self.f64()?;
        if value >= 0.0 { Ok(value) } else { Err(self.corrupt("has a negative regularization")) }
    }

    pub(super) fn text(&mut self) -> Result<String> {
        let length = self.length(1)?;
        let bytes = self.take(length)?.to_vec();
        String::from_utf8(bytes).map_err(|_| self.corrupt("has a text that is not UTF-8"))
    }

    pub(super) fn f32s(&mut self) -> Result<Vec<f32>> {
        self.array(4, |bytes| f32::from_le_bytes(fixed(bytes)))
    }

    pub(super) fn flags(&mut self) -> Result<Vec<bool>> {
        self.list(1, Self::flag)
    }

    /// Fixed-size things, all at once.
    pub(super) fn array<T>(&mut self, size: usize, of: impl Fn(&[u8]) -> T) -> Result<Vec<T>> {
        let length = self.length(size)?;
        Ok(self.take(length * size)?.chunks_exact(size).map(of).collect())
    }

    /// Things of at least `size` bytes, one by one.
    pub(super) fn list<T>(&mut self, size: usize, each: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let length = self.length(size)?;
        (0..length).map(|_| each(self)).collect()
    }

    pub(super) fn option<T>(&mut self, some: impl Fn(&mut Self) -> Result<T>) -> Result<Option<T>> {
        if self.flag()? { some(self).map(Some) } else { Ok(None) }
    }
}

/// The first bytes of a slice that is long enough; zeros otherwise, which no caller meets.
pub(super) fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk::<N>().copied().unwrap_or([0; N])
}
