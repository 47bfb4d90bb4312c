//! The device itself: it opens, it counts, it fails with a message.

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
    assert!(message.contains("--engine cpu"), "{message}");
}
