//! The device's own rates are finite and positive, with its clock and without.

use at_core::optics::Mesh;
use at_gpu::measure::{copy_rate, matrix_rate};
use at_gpu::testing::require_gpu;
use at_gpu::{Gpu, LimitChoice, MeshCosts, MeshVariant, Selection, measure_mesh_costs};

#[test]
fn rates_are_measured_with_and_without_a_clock() {
    let Some(shared) = require_gpu() else { return };
    let without = Gpu::with_limits(&Selection::Index(shared.adapter().index), LimitChoice::WebGpu).unwrap();
    for gpu in [&shared, &without] {
        let (matrix, copy) = (matrix_rate(gpu).unwrap(), copy_rate(gpu).unwrap());
        println!("{}: {matrix:.1} GFLOP/s, {copy:.1} GB/s", gpu.adapter().name);
        // Nothing between a slow processor and the fastest GPU measures otherwise.
        assert!((0.01..1e6).contains(&matrix), "{matrix} GFLOP/s");
        assert!((0.01..1e5).contains(&copy), "{copy} GB/s");
    }
}

#[test]
fn costs_of_meshes_are_measured_with_and_without_a_clock_and_decide_the_kernels() {
    let Some(shared) = require_gpu() else { return };
    let without = Gpu::with_limits(&Selection::Index(shared.adapter().index), LimitChoice::WebGpu).unwrap();
    let mesh = Mesh::rectangular(64).unwrap();
    for gpu in [&shared, &without] {
        let mut told = Vec::new();
        let costs = measure_mesh_costs(gpu, &mut |what| told.push(what.to_string())).unwrap();
        println!("{}: {costs:?}", gpu.adapter().name);
        assert_eq!(told.len(), 3 + usize::from(MeshVariant::Lanes.is_possible(gpu, 64)), "{told:?}");
        // Nothing between a slow processor and the fastest GPU measures otherwise.
        for rate in [costs.product_flops, costs.forward_flops, costs.backward_flops] {
            assert!((1e6..1e15).contains(&rate), "{costs:?}");
        }
        assert!((1.0..1e5).contains(&costs.processors), "{costs:?}");
        assert!(costs.cache_bandwidth >= costs.bandwidth, "{costs:?}");
        assert!((1e-9..1.0).contains(&costs.dispatch_seconds), "{costs:?}");
        assert_eq!(gpu.with_mesh_costs(costs).unwrap().mesh_costs(), &costs);
        // a device on which everything but products is slow
        let blocks = MeshCosts { column_seconds: 1e-5, fields: 1e-3, lane_instructions: 1.0, ..MeshCosts::default() };
        let gpu = gpu.with_mesh_costs(blocks).unwrap();
        assert_eq!(MeshVariant::chosen(&gpu, &mesh, 1000), MeshVariant::Blocks);
    }
}

#[test]
fn costs_of_no_device_are_refused() {
    let Some(gpu) = require_gpu() else { return };
    let costs = MeshCosts::default();
    for (wrong, name) in [
        (MeshCosts { bandwidth: 0.0, ..costs }, "bandwidth"),
        (MeshCosts { dispatch_seconds: -1e-6, ..costs }, "dispatch_seconds"),
        (MeshCosts { product_flops: f64::NAN, ..costs }, "product_flops"),
        (MeshCosts { lane_instructions: f64::INFINITY, ..costs }, "lane_instructions"),
        (MeshCosts { processors: 0.5, ..costs }, "processors"),
    ] {
        let Err(error) = gpu.with_mesh_costs(wrong) else { panic!("{wrong:?}") };
        assert!(error.to_string().contains(name), "{error}");
    }
}
