// Sums the rows of a chunk's phase gradients, powers at its shifters or gradients of couplers, in order; `scale` times that goes to the
// places of their MZIs. A row has `stride` numbers, of which the two of every MZI are taken that begin at `start`.

struct GradientReduce {
    rows: u32,
    chunk_mzis: u32,
    first_mzi: u32,
    mzis: u32,
    offset: u32,
    scale: f32,
    stride: u32,
    start: u32,
}

@group(0) @binding(0) var<uniform> parameters: GradientReduce;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn mesh_gradient_reduce(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    let width = 2u * parameters.chunk_mzis;
    if i >= width {
        return;
    }
    var sum = 0.0;
    for (var row = 0u; row < parameters.rows; row++) {
        sum += partial[row * parameters.stride + parameters.start + i];
    }
    var control = parameters.offset + parameters.first_mzi + i;
    if i >= parameters.chunk_mzis {
        control += parameters.mzis - parameters.chunk_mzis;
    }
    gradient[control] = parameters.scale * sum;
}
