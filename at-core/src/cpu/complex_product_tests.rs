use super::*;
use num_complex::Complex;

fn some<T: Real>(count: usize, step: f64) -> Vec<T> {
    (0..count).map(|k| T::of((step * (k + 1) as f64).sin())).collect()
}

fn entries<T: Real>(interleaved: &[T]) -> Vec<Complex<f64>> {
    interleaved.chunks_exact(2).map(|entry| Complex::new(entry[0].wide(), entry[1].wide())).collect()
}

fn close<T: Real>(got: &[T], expected: &[Complex<f64>], tolerance: f64) {
    let largest = expected.iter().fold(0.0, |most: f64, value| most.max(value.norm()));
    for (got, expected) in entries(got).iter().zip(expected) {
        assert!((got - expected).norm() < tolerance * largest, "{got} instead of {expected}");
    }
}

/// Whole blocks and a part of one, on one thread and on several, entry by entry.
fn products_are_those_of_complex_numbers<T: Real>(tolerance: f64) {
    for (modes, samples) in [(1, 1), (3, 5), (7, BLOCK), (5, 2 * SUMMED + BLOCK + 9)] {
        let rows: Vec<T> = some(2 * modes * modes, 0.37);
        let (light, errors): (Vec<T>, Vec<T>) = (some(2 * modes * samples, 0.77), some(2 * modes * samples, 1.31));
        let mut matrix = Planes::default();
        assert!(matrix.is_empty());
        matrix.fill(modes, |units, target| {
            let one = |k: usize| if k % (2 * modes + 2) == 0 { T::one() } else { T::zero() };
            assert!(units.iter().enumerate().all(|(k, &unit)| unit == one(k)), "the identity");
            target.copy_from_slice(&rows);
        });
        let mut written = vec![T::zero(); 2 * modes * modes];
        matrix.write(&mut written);
        assert_eq!(written, rows);

        let run = || {
            let mut room = Room::default();
            let mut results = [(); 3].map(|()| vec![T::nan(); 2 * modes * samples]);
            room.multiply(&light, &matrix, false, &mut results[0]);
            room.multiply(&errors, &matrix, true, &mut results[1]);
            let mut sums = vec![T::nan(); 4 * modes * modes];
            results[2].resize(2 * modes * modes, T::nan());
            room.moments(&light, &errors, modes, &mut sums, &mut results[2]);
            results
        };
        let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run);
        let results = on(1);
        assert_eq!(results, on(3), "the number of threads changes nothing");

        let (u, x, a) = (entries(&rows), entries(&light), entries(&errors));
        let ahead = |sample: usize, j: usize| (0..modes).map(|i| x[sample * modes + i] * u[i * modes + j]).sum();
        let back = |sample: usize, i: usize| (0..modes).map(|j| a[sample * modes + j] * u[i * modes + j].conj()).sum();
        let moment = |i: usize, j: usize| (0..samples).map(|b| x[b * modes + i].conj() * a[b * modes + j]).sum();
        let table = |rows: usize, entry: &dyn Fn(usize, usize) -> Complex<f64>| {
            (0..rows * modes).map(|k| entry(k / modes, k % modes)).collect::<Vec<_>>()
        };
        close(&results[0], &table(samples, &ahead), tolerance);
        close(&results[1], &table(samples, &back), tolerance);
        close(&results[2], &table(modes, &moment), tolerance);
    }
}

#[test]
fn three_real_products_make_a_complex_one() {
    products_are_those_of_complex_numbers::<f64>(1e-13);
    products_are_those_of_complex_numbers::<f32>(1e-5);
}
