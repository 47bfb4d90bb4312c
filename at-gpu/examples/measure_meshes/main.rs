//! Measures what docs/results/gpu.md states of a GPU: training steps of three meshes by `at` and `at-adaptive`, one mesh forward and
//! backward with each kind of kernel, their products alone, memory against depth. Prints one JSON object per line; benches/gpu.sh
//! runs it.
//!
//! ```text
//! measure_meshes [--adapter NAME|INDEX|hardware|any] [--modes 256,512,…] [--batch 1024] [--seconds 3] [--limit 300]
//! ```
//!
//! `--seconds`: of a case, at most unless two calls take longer.  `--limit`: seconds after which the cases that are left are named
//! and left out. What matters most comes first.

mod arguments;
mod case;
mod memory;
mod mesh;
mod step;

use arguments::Arguments;
use at_core::Result;
use at_core::training::MethodName;
use at_gpu::measure::{copy_rate, matrix_rate};
use at_gpu::{Gpu, MeshVariant, Selection, measure_mesh_costs};
use case::{Case, Measured};
use std::time::Instant;

fn main() -> Result<()> {
    let arguments = Arguments::of_process();
    let start = Instant::now();
    let by_default = Gpu::new(&Selection::parse(&arguments.text("--adapter", "hardware")))?;
    let costs = measure_mesh_costs(&by_default, &mut |_| ())?;
    let gpu = by_default.with_mesh_costs(costs)?;
    let modes = arguments.numbers("--modes", "256,512,1024,2048,4096,8192")?;
    let case = Case {
        gpu: &gpu,
        by_default: &by_default,
        batch: arguments.number("--batch", 1024)?,
        seconds: arguments.number("--seconds", 3)? as f64,
        peak: matrix_rate(&gpu)?,
    };
    let limit = arguments.number("--limit", 300)? as f64;

    let (name, driver, copy) = (&gpu.adapter().name, &gpu.adapter().driver, copy_rate(&gpu)?);
    let (software, peak) = (gpu.adapter().software, case.peak);
    println!(
        r#"{{"device": {name:?}, "driver": {driver:?}, "software": {software}, "matrix_gflops": {peak:.1}, "copy_gbytes": {copy:.1}}}"#
    );
    println!(
        r#"{{"case": "mesh costs", "dispatch_seconds": {:e}, "processors": {:.1}, "product_flops": {:e}, "forward_flops": {:e}, "backward_flops": {:e}, "column_seconds": {:e}, "lane_column_seconds": {:e}, "lane_instructions": {:e}, "cache_bandwidth": {:e}, "bandwidth": {:e}}}"#,
        costs.dispatch_seconds,
        costs.processors,
        costs.product_flops,
        costs.forward_flops,
        costs.backward_flops,
        costs.column_seconds,
        costs.lane_column_seconds,
        costs.lane_instructions,
        costs.cache_bandwidth,
        costs.bandwidth,
    );
    // One case that does not fit ends no other, and none begins too late.
    let print = |what: &str, measure: &dyn Fn() -> Measured| {
        let left_out = || Ok(format!(r#""left_out": "{limit} s were over""#));
        let found = if start.elapsed().as_secs_f64() > limit { left_out() } else { measure() };
        let found = found.unwrap_or_else(|error| format!(r#""error": {:?}"#, error.to_string()));
        println!("{{{what}, {found}}}");
    };
    for &modes in &modes {
        let what = |case: &str| format!(r#""case": "{case}", "modes": {modes}"#);
        print(&what("AT step, three meshes"), &|| step::step(&case, modes, MethodName::At, None));
        let chosen = case.chosen(modes)?;
        print(&mesh::what(&case, chosen, modes)?, &|| mesh::mesh(&case, modes, chosen));
    }
    for &modes in &modes {
        for variant in [MeshVariant::Blocks, MeshVariant::WholeByBlocks] {
            let what = format!(r#""case": "products of a mesh", "modes": {modes}, "variant": "{variant:?}""#);
            print(&what, &|| mesh::products(&case, modes, variant));
        }
    }
    for &modes in &modes {
        for (phase, measuring) in [("training", Some(0)), ("measuring", None)] {
            let what = format!(r#""case": "at-adaptive step, three meshes", "modes": {modes}, "phase": "{phase}""#);
            print(&what, &|| step::step(&case, modes, MethodName::AtAdaptive, measuring));
        }
    }
    for &modes in &modes {
        let chosen = case.chosen(modes)?;
        for variant in MeshVariant::ALL.into_iter().filter(|&variant| variant != chosen) {
            print(&mesh::what(&case, variant, modes)?, &|| mesh::mesh(&case, modes, variant));
        }
    }
    for &modes in modes.iter().filter(|&&modes| modes <= 1024) {
        for depth in [modes / 4, modes / 2, modes] {
            let what = format!(r#""case": "memory", "modes": {modes}, "depth": {depth}"#);
            print(&what, &|| memory::memory(&case, modes, depth));
        }
    }
    Ok(())
}
