//! What a request to cancel must bring along: random bytes that only the client of the session is told.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
};

/// The secret of one session.
pub(crate) struct CancelKey(Vec<u8>);

impl CancelKey {
    /// A new one of so many bytes.
    pub(crate) fn random(bytes: usize) -> Self {
        // Each `RandomState` holds keys from the operating system and hashes with SipHash, a keyed pseudorandom function.
        let state = RandomState::new();
        let blocks = (0_u64..).flat_map(|block| state.hash_one((block, std::process::id())).to_be_bytes());
        Self(blocks.take(bytes).collect())
    }

    /// The bytes that the client is told.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether these are its bytes; takes as long for a near miss as for a far one.
    pub(crate) fn is(&self, given: &[u8]) -> bool {
        let different = self.0.iter().zip(given).fold(0, |different, (own, given)| different | (own ^ given));
        self.0.len() == given.len() && different == 0
    }
}

impl fmt::Debug for CancelKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CancelKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_only_itself() {
        for bytes in [4, 32] {
            let key = CancelKey::random(bytes);
            let own = key.bytes().to_vec();
            assert_eq!(own.len(), bytes);
            assert!(key.is(&own) && !key.is(&own[1..]) && !key.is(&[]) && !key.is(&[&own[..], &[0]].concat()));
            for place in 0..bytes {
                let mut other = own.clone();
                other[place] ^= 1;
                assert!(!key.is(&other));
            }
            assert!(!key.is(CancelKey::random(bytes).bytes()));
            assert_eq!(format!("{key:?}"), "CancelKey(…)");
        }
    }
}
