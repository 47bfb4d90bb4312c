// From the gradient at what stands in a chip, `before`, to that at what it was told: the neighbours' share added, times the
// derivative; for len controls from the first on. The crosstalk is symmetric; its rows are those of `settle`.

struct CarryBack {
    first: u32,
    len: u32,
    has_neighbours: u32,
}

@group(0) @binding(0) var<uniform> parameters: CarryBack;
@group(0) @binding(1) var<storage, read> before: array<f32>;
@group(0) @binding(2) var<storage, read> derivative: array<f32>;
@group(0) @binding(3) var<storage, read> starts: array<u32>;
@group(0) @binding(4) var<storage, read> entries: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn carry_back(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let item = linear_item(group, groups, local);
    if item >= parameters.len {
        return;
    }
    let i = parameters.first + item;
    var felt = before[i];
    if parameters.has_neighbours == 1u {
        for (var k = starts[i]; k < starts[i + 1u]; k++) {
            let entry = entries[k];
            felt += bitcast<f32>(entry.y) * before[entry.x];
        }
    }
    gradient[i] = derivative[i] * felt;
}
