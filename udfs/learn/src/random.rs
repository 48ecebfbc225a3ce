//! Random numbers that depend on their key alone: never on the order of calls, threads or partitions.

/// A stream of random numbers keyed by a seed and any number of identifiers (epoch, entity, purpose).
///
/// The state is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014); the key is folded in through its finaliser.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream of `seed` and `key`; equal arguments give equal streams.
    pub fn keyed(seed: u64, key: &[u64]) -> Self {
        let state = key.iter().fold(mix(seed ^ 0x6A09_E667_F3BC_C908), |state, &part| mix(state ^ mix(part)));
        Self(state)
    }

    /// The next 64 uniformly random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `0..bound`, by multiplication (Lemire 2019); `bound` must not be zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// Standard normal, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// The finaliser of SplitMix64: a bijection of 64 bits that spreads every input bit.
pub fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}
