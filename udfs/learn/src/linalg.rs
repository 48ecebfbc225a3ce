//! Small dense linear algebra and conjugate gradients: the kernels of the solvers.
//!
//! Loops run over plain slices in steps that the compiler turns into vector instructions; a sum is always taken in the
//! same order. Matrices are row-major. Symmetric ones keep their upper triangle; what is below the diagonal is
//! unspecified. Nothing here knows what is being learnt.

use crate::{Control, Result};

/// Writes the kernels for one type of number, in a module of that name.
macro_rules! kernels {
    ($module:ident, $number:ty, $lanes:expr, $doc:expr) => {
        #[doc = $doc]
        pub mod $module {
            /// Independent partial sums of a dot product, and the step to which triangular rows are aligned.
            const LANES: usize = $lanes;

            /// The inner product of two slices of equal length.
            pub fn dot(left: &[$number], right: &[$number]) -> $number {
                let mut sums = [0.0; LANES];
                let (left_chunks, right_chunks) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
                let tail: $number =
                    left_chunks.remainder().iter().zip(right_chunks.remainder()).map(|(l, r)| l * r).sum();
                for (l, r) in left_chunks.zip(right_chunks) {
                    for lane in 0..LANES {
                        sums[lane] += l[lane] * r[lane];
                    }
                }
                sums.iter().sum::<$number>() + tail
            }

            /// Adds `scale * from` to `to`.
            pub fn add_scaled(to: &mut [$number], scale: $number, from: &[$number]) {
                for (t, f) in to.iter_mut().zip(from) {
                    *t += scale * f;
                }
            }

            /// Adds `scales[0] * rows[0] + … + scales[3] * rows[3]` to `to`: one pass over `to` for four rows.
            fn add_four(to: &mut [$number], scales: [$number; 4], rows: [&[$number]; 4]) {
                let length = to.len();
                let [a, b, c, d] = rows.map(|row| &row[..length]);
                for at in 0..length {
                    to[at] += scales[0] * a[at] + scales[1] * b[at] + scales[2] * c[at] + scales[3] * d[at];
                }
            }

            /// Adds `Σ weight_n x_n x_nᵀ` to the upper triangle of `matrix`; `vectors` holds the `x_n` of length `size`
            /// one after the other.
            pub fn add_outer(matrix: &mut [$number], size: usize, vectors: &[$number], weights: &[$number]) {
                if size == 0 {
                    return;
                }
                let fours = weights.len() / 4 * 4;
                for at in (0..fours).step_by(4) {
                    let x: [&[$number]; 4] = std::array::from_fn(|n| &vectors[(at + n) * size..(at + n + 1) * size]);
                    for (row, to) in matrix.chunks_exact_mut(size).enumerate() {
                        let start = row / LANES * LANES;
                        let scales = std::array::from_fn(|n| weights[at + n] * x[n][row]);
                        add_four(&mut to[start..], scales, x.map(|x| &x[start..]));
                    }
                }
                for at in fours..weights.len() {
                    let x = &vectors[at * size..(at + 1) * size];
                    for (row, to) in matrix.chunks_exact_mut(size).enumerate() {
                        let start = row / LANES * LANES;
                        add_scaled(&mut to[start..], weights[at] * x[row], &x[start..]);
                    }
                }
            }

            /// Replaces the upper triangle of a symmetric positive definite matrix by `U` with `UᵀU` equal to it; on the
            /// diagonal stand the reciprocals, because solving only divides by it.
            ///
            /// A pivot that rounding or the data made too small is lifted to the smallest one that keeps the solution
            /// finite, as if that unknown had a slightly stronger prior; a NaN stays one.
            pub fn factor(matrix: &mut [$number], size: usize) {
                if size == 0 {
                    return;
                }
                let largest = (0..size).map(|n| matrix[n * size + n]).fold(0.0, <$number>::max);
                let floor = (largest * <$number>::EPSILON).max(<$number>::MIN_POSITIVE);
                for row in 0..size {
                    let (above, rest) = matrix.split_at_mut(row * size);
                    let start = row / LANES * LANES;
                    let to = &mut rest[start..size];
                    let fours = row / 4 * 4;
                    for at in (0..fours).step_by(4) {
                        let scales = std::array::from_fn(|n| -above[(at + n) * size + row]);
                        let rows = std::array::from_fn(|n| &above[(at + n) * size + start..(at + n + 1) * size]);
                        add_four(to, scales, rows);
                    }
                    for at in fours..row {
                        add_scaled(to, -above[at * size + row], &above[at * size + start..(at + 1) * size]);
                    }
                    let pivot = rest[row];
                    let pivot = if pivot < floor { floor } else { pivot };
                    let scale = 1.0 / pivot.sqrt();
                    rest[row + 1..size].iter_mut().for_each(|entry| *entry *= scale);
                    rest[row] = scale;
                }
            }

            /// Solves `UᵀU x = right` in place, `U` from [`factor`].
            pub fn solve(upper: &[$number], size: usize, right: &mut [$number]) {
                solve_transposed(upper, size, right);
                solve_upper(upper, size, right);
            }

            /// Solves `Uᵀ x = right` in place.
            pub fn solve_transposed(upper: &[$number], size: usize, right: &mut [$number]) {
                for row in 0..size {
                    let entries = &upper[row * size..(row + 1) * size];
                    let value = right[row] * entries[row];
                    right[row] = value;
                    add_scaled(&mut right[row + 1..size], -value, &entries[row + 1..]);
                }
            }

            /// Solves `U x = right` in place.
            pub fn solve_upper(upper: &[$number], size: usize, right: &mut [$number]) {
                for row in (0..size).rev() {
                    let entries = &upper[row * size..(row + 1) * size];
                    right[row] = (right[row] - dot(&entries[row + 1..], &right[row + 1..size])) * entries[row];
                }
            }
        }
    };
}

kernels!(single, f32, 8, "Kernels in single precision, for well-conditioned systems solved very often.");
kernels!(double, f64, 4, "Kernels in double precision.");

/// What a run of [`conjugate_gradients`] may take.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// The most iterations.
    pub iterations: usize,
    /// Stop when the residual's norm is this part of the right side's.
    pub tolerance: f64,
}

/// Solves `A x = right` for a symmetric positive definite `A` that is given by what it does to a vector, starting from the
/// `x` passed in.
///
/// Preconditioned by the diagonal (Saad, "Iterative methods for sparse linear systems", 2nd ed., algorithm 9.1). Every
/// iteration lowers `½xᵀAx − rightᵀx`, so that stopping early is still progress.
pub fn conjugate_gradients(
    apply: impl Fn(&[f64]) -> Result<Vec<f64>>,
    diagonal: &[f64],
    right: &[f64],
    x: &mut [f64],
    effort: Effort,
    control: &dyn Control,
) -> Result<()> {
    let goal = effort.tolerance * double::dot(right, right).sqrt();
    let image = apply(x)?;
    let mut residual: Vec<f64> = right.iter().zip(&image).map(|(r, i)| r - i).collect();
    let precondition = |residual: &[f64]| residual.iter().zip(diagonal).map(|(r, d)| r / d).collect::<Vec<f64>>();
    let mut scaled = precondition(&residual);
    let mut direction = scaled.clone();
    let mut energy = double::dot(&residual, &scaled);
    for _ in 0..effort.iterations {
        control.check()?;
        if double::dot(&residual, &residual).sqrt() <= goal || energy <= 0.0 {
            break;
        }
        let image = apply(&direction)?;
        let curvature = double::dot(&direction, &image);
        if curvature <= 0.0 {
            break;
        }
        let step = energy / curvature;
        double::add_scaled(x, step, &direction);
        double::add_scaled(&mut residual, -step, &image);
        scaled = precondition(&residual);
        let next = double::dot(&residual, &scaled);
        let carry = next / energy;
        energy = next;
        direction.iter_mut().zip(&scaled).for_each(|(d, s)| *d = s + carry * *d);
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{control::Unattended, random::Random};

    /// A random Gram matrix with a ridge, full, and the vectors it was made of.
    fn gram(size: usize, rows: usize) -> (Vec<f64>, Vec<f64>) {
        let mut random = Random::keyed(7, &[size as u64]);
        let vectors: Vec<f64> = (0..rows * size).map(|_| random.normal()).collect();
        let mut full = vec![0.0; size * size];
        for x in vectors.chunks_exact(size) {
            for i in 0..size {
                for j in 0..size {
                    full[i * size + j] += x[i] * x[j];
                }
            }
        }
        (0..size).for_each(|n| full[n * size + n] += 0.5);
        (full, vectors)
    }

    fn times(full: &[f64], x: &[f64]) -> Vec<f64> {
        full.chunks_exact(x.len()).map(|row| double::dot(row, x)).collect()
    }

    #[test]
    fn outer_products_and_cholesky_agree_with_the_definition() {
        for size in [1, 2, 5, 8, 17, 33] {
            let (full, vectors) = gram(size, 2 * size + 3);
            let mut upper = vec![0.0; size * size];
            (0..size).for_each(|n| upper[n * size + n] = 0.5);
            double::add_outer(&mut upper, size, &vectors, &vec![1.0; 2 * size + 3]);
            for i in 0..size {
                for j in i..size {
                    assert!((upper[i * size + j] - full[i * size + j]).abs() < 1e-10);
                }
            }
            let expected: Vec<f64> = (0..size).map(|n| n as f64 - 1.5).collect();
            let mut x = times(&full, &expected);
            double::factor(&mut upper, size);
            double::solve(&upper, size, &mut x);
            assert!(x.iter().zip(&expected).all(|(x, e)| (x - e).abs() < 1e-9), "{x:?}");
        }
    }

    #[test]
    fn single_precision_solves_as_double_does() {
        let size = 24;
        let (full, _) = gram(size, 60);
        let expected: Vec<f64> = (0..size).map(|n| (n as f64).sin()).collect();
        let mut x: Vec<f32> = times(&full, &expected).iter().map(|&v| v as f32).collect();
        let mut upper: Vec<f32> = full.iter().map(|&v| v as f32).collect();
        single::factor(&mut upper, size);
        single::solve(&upper, size, &mut x);
        assert!(x.iter().zip(&expected).all(|(x, e)| (f64::from(*x) - e).abs() < 1e-4), "{x:?}");
    }

    #[test]
    fn conjugate_gradients_agree_with_cholesky() {
        let size = 20;
        let (full, _) = gram(size, 40);
        let right: Vec<f64> = (0..size).map(|n| 1.0 / (1.0 + n as f64)).collect();
        let mut direct = right.clone();
        let mut upper = full.clone();
        double::factor(&mut upper, size);
        double::solve(&upper, size, &mut direct);
        let diagonal: Vec<f64> = (0..size).map(|n| full[n * size + n]).collect();
        let mut x = vec![0.0; size];
        let effort = Effort { iterations: 200, tolerance: 1e-12 };
        conjugate_gradients(|x| Ok(times(&full, x)), &diagonal, &right, &mut x, effort, &Unattended).unwrap();
        assert!(x.iter().zip(&direct).all(|(x, d)| (x - d).abs() < 1e-9), "{x:?} {direct:?}");
    }

    #[test]
    fn a_singular_matrix_gives_a_finite_solution() {
        let mut upper = vec![1.0, 1.0, 1.0, 1.0];
        double::factor(&mut upper, 2);
        let mut x = vec![2.0, 2.0];
        double::solve(&upper, 2, &mut x);
        assert!((x[0] + x[1] - 2.0).abs() < 1e-6, "{x:?}");
    }

    #[test]
    fn nothing_to_solve_is_fine() {
        double::factor(&mut [], 0);
        double::solve(&[], 0, &mut []);
        double::add_outer(&mut [], 0, &[], &[1.0, 2.0]);
        assert_eq!(single::dot(&[], &[]), 0.0);
    }
}
