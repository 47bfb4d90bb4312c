//! Our side of `mesh.py`: time and peak memory of one gradient of one rectangular mesh, from controls to dL/d(controls)
//! with L = Σ error · |y|², and the numbers themselves. The mesh is ideal, or has the errors of a good chip (`chip_errors`).
//!
//! usage: mesh_gradient BATCH REPEATS MODES [errors | NUMBERS.npz]     prints one JSON object

use at_benches::{Pass, chip_errors, single_mesh};
use at_core::cpu::Cpu;
use at_core::imperfections::Imperfections;
use at_tests::allocations::Counting;
use ndarray::Array1;
use ndarray_npy::NpzWriter;
use std::time::Instant;

#[global_allocator]
static MEMORY: Counting = Counting::new();

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [batch, repeats, modes] = [0, 1, 2].map(|index| arguments[index].parse::<usize>());
    let (batch, repeats, modes) = (batch?, repeats?, modes?);
    let more = arguments.get(3);
    let errors = if more.is_some_and(|word| word == "errors") { chip_errors() } else { Imperfections::default() };
    let mut pass = Pass::new(&single_mesh(modes), &errors, batch);
    MEMORY.restart();
    pass.gradient();
    let peak = MEMORY.peak();
    let spent = processor_seconds();
    // On one of the pool's threads, as the program does it.
    let mut times: Vec<f64> = Cpu::<f32>::new().install(|| {
        let gradient = |_| {
            let start = Instant::now();
            pass.gradient();
            start.elapsed().as_secs_f64()
        };
        (0..repeats).map(gradient).collect()
    });
    times.sort_by(f64::total_cmp);
    let report = serde_json::json!({
        "modes": modes,
        "batch": batch,
        "median": times[repeats / 2],
        "best": times[0],
        "processors": (processor_seconds() - spent) / repeats as f64,
        "peak": peak,
    });
    println!("{report}");
    if let Some(path) = more.filter(|word| *word != "errors") {
        let mut numbers = NpzWriter::new(std::fs::File::create(path)?);
        let Pass { controls, fields, error, readout, gradient, .. } = pass;
        for (name, values) in
            [("controls", controls), ("fields", fields), ("error", error), ("readout", readout), ("gradient", gradient)]
        {
            numbers.add_array(name, &Array1::from(values))?;
        }
        numbers.add_array("shape", &Array1::from(vec![batch as f64, modes as f64]))?;
        numbers.finish()?;
    }
    Ok(())
}

/// Time that all processors together have spent on this process's threads; 0 where there is no Linux to ask.
fn processor_seconds() -> f64 {
    let nanoseconds = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    };
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    1e-9 * threads.filter_map(nanoseconds).sum::<f64>()
}
