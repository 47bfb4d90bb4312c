// What stands in a chip: base + heat + crosstalk of the neighbours' heat + drift. Row i of the crosstalk holds the entries
// starts[i]..starts[i + 1]; an entry is a neighbour and, as the bits of an f32, its strength.

struct Settle {
    len: u32,
    has_neighbours: u32,
    has_drift: u32,
}

@group(0) @binding(0) var<uniform> parameters: Settle;
@group(0) @binding(1) var<storage, read> heat: array<f32>;
@group(0) @binding(2) var<storage, read> bases: array<f32>;
@group(0) @binding(3) var<storage, read> starts: array<u32>;
@group(0) @binding(4) var<storage, read> entries: array<vec2u>;
@group(0) @binding(5) var<storage, read> drift: array<f32>;
@group(0) @binding(6) var<storage, read_write> stands: array<f32>;

@compute @workgroup_size(64)
fn settle(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    var phase = bases[i] + heat[i];
    if parameters.has_neighbours == 1u {
        for (var k = starts[i]; k < starts[i + 1u]; k++) {
            let entry = entries[k];
            phase += bitcast<f32>(entry.y) * heat[entry.x];
        }
    }
    if parameters.has_drift == 1u {
        phase += drift[i];
    }
    stands[i] = phase;
}
