// Transmissions of a mesh's waveguides relative to their columns' means, `count` of them, from an estimate of their losses (dB) that begins
// at `offset`: what the mesh was built with, less the loss.

struct MeshLosses {
    count: u32,
    offset: u32,
}

// ln 10 / 20
const NEPERS = 0.115129255;

@group(0) @binding(0) var<uniform> parameters: MeshLosses;
@group(0) @binding(1) var<storage, read> estimate: array<f32>;
@group(0) @binding(2) var<storage, read> known: array<f32>;
@group(0) @binding(3) var<storage, read_write> imbalance: array<f32>;

@compute @workgroup_size(64)
fn mesh_losses(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i < parameters.count {
        imbalance[i] = known[i] * exp(-NEPERS * estimate[parameters.offset + i]);
    }
}
