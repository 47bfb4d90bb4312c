//! A driver that has no memory left: one clear error, no panic and no hang, and what is already there goes on where it can.
//!
//! The tests run themselves again in a shell that bounds the address space, in which a software adapter keeps its memory.

#![cfg(target_os = "linux")]

use at_core::Error;
use at_core::engine::Engine;
use at_core::fabrication::Fabrication;
use at_core::network::{Detection, Network, Stage};
use at_core::optics::Mesh;
use at_core::propagator::{Propagator, Simulator};
use at_gpu::{Gpu, Selection, Vector, adapters};
use std::process::Command;

/// Address space of the child in KiB: well above what it takes to open the adapter, well below what it asks for.
const ADDRESS_SPACE: usize = 1_500_000;

/// Marks the child.
const CHILD: &str = "AT_GPU_OUT_OF_MEMORY_CHILD";

/// Reals of a vector that is asked for again and again: 16 MiB.
const PIECE: usize = 1 << 22;

/// A software adapter of this machine.
fn software() -> Option<Selection> {
    let found = adapters().into_iter().find(|adapter| adapter.software);
    if found.is_none() {
        eprintln!("skipped: no software adapter");
    }
    found.map(|adapter| Selection::Index(adapter.index))
}

/// Runs the test `name` of this file in a child that must pass; gives `true` in the child itself.
fn with_little_memory(name: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let program = std::env::current_exe().unwrap();
    let script = format!("ulimit -v {ADDRESS_SPACE} && exec \"$0\" --exact {name} --nocapture --test-threads 1");
    // Threads and the C library's arenas take address space with the number of cores.
    let threads = [("LP_NUM_THREADS", "1"), ("MALLOC_ARENA_MAX", "2"), (CHILD, "1")];
    let ended = Command::new("sh").args(["-c", &script]).arg(program).envs(threads).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && said.contains("1 passed"), "{:?}: {said}", ended.status);
    false
}

/// Vectors until one is refused; with that refusal.
fn exhaust(gpu: &Gpu) -> (Vec<Vector>, Error) {
    let mut taken = Vec::new();
    while taken.len() < ADDRESS_SPACE {
        match gpu.zeros(PIECE) {
            Ok(vector) => taken.push(vector),
            Err(error) => return (taken, error),
        }
    }
    panic!("{} vectors of 16 MiB fit into {ADDRESS_SPACE} KiB", taken.len());
}

fn clear(error: &Error) {
    let message = error.to_string();
    let said = ["out of memory", "use a smaller batch", "`engine` cpu"];
    let device = matches!(error, Error::Device { .. });
    assert!(device && said.iter().all(|part| message.contains(part)), "{message}");
}

#[test]
fn a_refused_buffer_is_an_error_and_what_is_there_goes_on() {
    let Some(selection) = software() else { return };
    if !with_little_memory("a_refused_buffer_is_an_error_and_what_is_there_goes_on") {
        return;
    }
    let gpu = Gpu::new(&selection).unwrap();
    let detection = Stage::detection(8, Detection::Intensity);
    let network = Network::new(vec![vec![Stage::Mesh(Mesh::rectangular(8).unwrap()), detection]]).unwrap();
    let mut chip = gpu.build(&network, &Fabrication::ideal()).unwrap();
    chip.program(&gpu.upload(&vec![0.3; network.controls()]).unwrap()).unwrap();
    let fields = gpu.upload(&[0.5; 3 * 16]).unwrap();
    let mut readout = gpu.zeros(3 * 8).unwrap();
    chip.propagate(&fields, 3, &mut readout).unwrap();
    let before = gpu.download(&readout).unwrap();

    let (mut taken, error) = exhaust(&gpu);
    clear(&error);
    assert!(error.to_string().contains("16.0 MiB"), "{error}");
    chip.propagate(&fields, 3, &mut readout).unwrap();
    assert_eq!(gpu.download(&readout).unwrap(), before);
    // A batch for which the network itself needs more memory, and then one for which it does not.
    let samples = PIECE / 16;
    let mut target = taken.swap_remove(0);
    let error = chip.propagate(&taken[0], samples, &mut target).unwrap_err();
    clear(&error);
    assert!(error.to_string().contains("signals between stages"), "{error}");
    drop(taken);
    chip.propagate(&fields, 3, &mut readout).unwrap();
    assert_eq!(gpu.download(&readout).unwrap(), before);
    gpu.zeros(PIECE).unwrap();
}

#[test]
fn a_transfer_for_which_no_memory_is_left_is_an_error_and_so_is_all_that_follows() {
    let Some(selection) = software() else { return };
    if !with_little_memory("a_transfer_for_which_no_memory_is_left_is_an_error_and_so_is_all_that_follows") {
        return;
    }
    let gpu = Gpu::new(&selection).unwrap();
    let values = vec![1.0_f32; PIECE];
    let (mut taken, _) = exhaust(&gpu);
    // Room for the vector itself, and none for what carries its values there.
    taken.pop();
    let error = gpu.upload(&values).err().expect("is refused");
    clear(&error);
    let error = gpu.zeros(1).err().expect("the device is gone");
    clear(&error);
}
