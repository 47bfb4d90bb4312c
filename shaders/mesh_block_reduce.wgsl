// Sums the rows of the blocks' phase gradients, in order, into the network's gradient.

@group(0) @binding(1) var<storage, read> columns: array<vec4u>;
@group(0) @binding(2) var<storage, read> partial: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;

const LINES = 8u;

@compute @workgroup_size(64)
fn mesh_block_reduce(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    let number = i / 1024u;
    let u = i32(i % 1024u / 32u);
    let v = i32(i % 32u);
    let block = block_of(number);
    let index = block.column + u + v;
    if index < 0 || index >= i32(parameters.columns) {
        return;
    }
    let mzi = mzi_at(block, HALF - 1 + u - v, columns[index]);
    if mzi < 0 {
        return;
    }
    var theta = 0.0;
    var phi = 0.0;
    for (var line = 0u; line < LINES; line++) {
        let slot = (number * LINES + line) * 2048u + i % 1024u;
        theta += partial[slot];
        phi += partial[slot + 1024u];
    }
    gradient[parameters.offset + u32(mzi)] = -2.0 * theta;
    gradient[parameters.offset + parameters.mzis + u32(mzi)] = -2.0 * phi;
}
