//! The device itself: it opens, it counts, it fails with a message.

use at_core::engine::Engine;
use at_gpu::testing::require_gpu;
use at_gpu::{Gpu, LOOP_CAP, LimitChoice, Selection, adapters};

#[test]
fn loops_within_the_cap_are_complete() {
    let Some(gpu) = require_gpu() else { return };
    assert_eq!(gpu.loop_turns(LOOP_CAP as u32 - 1).unwrap(), LOOP_CAP as u32 - 1);
    let turns = gpu.loop_turns(70_000).unwrap();
    let verdict = if turns == 70_000 { "has no loop cap" } else { "CAPS the loops of an invocation" };
    println!("{} {verdict}: {turns} turns of 70000", gpu.adapter().name);
}

#[test]
fn the_open_adapter_is_listed() {
    let Some(gpu) = require_gpu() else { return };
    assert_eq!(&adapters()[gpu.adapter().index], gpu.adapter());
}

#[test]
fn a_lost_device_is_an_error() {
    let Some(shared) = require_gpu() else { return };
    let gpu = Gpu::with_limits(&Selection::Index(shared.adapter().index), LimitChoice::WebGpu).unwrap();
    gpu.loop_turns(10).unwrap();
    gpu.lose();
    let message = gpu.loop_turns(10).unwrap_err().to_string();
    assert!(message.contains("`engine` cpu"), "{message}");
}

#[test]
fn a_data_set_that_no_binding_holds_is_gathered_in_parts_and_used_for_nothing_else() {
    let Some(shared) = require_gpu() else { return };
    let selection = Selection::Index(shared.adapter().index);
    let gpu = Gpu::with_limits(&selection, LimitChoice::Binding(1 << 16)).unwrap();
    let (samples, width) = (5000, 12);
    let values: Vec<f32> = (0..samples * width).map(|k| k as f32).collect();
    let order: Vec<u32> = (0..samples as u32).map(|k| k * 1237 % samples as u32).collect();
    let data = gpu.upload(&values).unwrap();
    let indices = gpu.upload_indices(&order).unwrap();
    let mut batch = gpu.zeros(1000 * width).unwrap();
    for start in [0, 4000] {
        gpu.gather(&data, width, &indices, start, 1000, &mut batch).unwrap();
        let rows = order[start..start + 1000].iter().map(|&row| row as usize * width);
        let expected: Vec<f64> = rows.flat_map(|row| row..row + width).map(|k| k as f64).collect();
        assert_eq!(gpu.download(&batch).unwrap(), expected);
    }
    let mut other = gpu.upload(&values).unwrap();
    let message = gpu.combine(1.0, &data, 1.0, &mut other).unwrap_err().to_string();
    assert!(message.contains("65536 bytes at once") && message.contains("combine"), "{message}");
}
