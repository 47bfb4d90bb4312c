// Sends samples through the columns first_column..last_column; the fields stay in workgroup memory on the way. The pass that
// finishes the mesh also multiplies by the outputs' factors: output phases and common loss.

@group(0) @binding(1) var<storage, read> columns: array<vec4u>;
@group(0) @binding(2) var<storage, read> coefficients: array<vec4f>;
@group(0) @binding(3) var<storage, read> imbalance: array<f32>;
@group(0) @binding(4) var<storage, read> before: array<vec2f>;
@group(0) @binding(5) var<storage, read> factors: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> after: array<vec2f>;

var<workgroup> fields: array<vec2f, SLOTS>;

@compute @workgroup_size(GROUP)
fn mesh_forward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let part = part_of(linear_group(group, groups));
    let slots = part.samples * part.width;
    for (var i = local; i < slots; i += GROUP) {
        let sample = part.first_sample + i / part.width;
        fields[i] = before[sample * parameters.modes + mode_at(part.low + i % part.width)];
    }
    workgroupBarrier();

    let pair_lane = local % parameters.pair_lanes;
    let sample_lane = local / parameters.pair_lanes;
    let sample_lanes = GROUP / parameters.pair_lanes;
    for (var index = parameters.first_column; index < parameters.last_column; index++) {
        let column = columns[index];
        let pairs = pairs_of(part, column);
        for (var k = pairs.x + pair_lane; k < pairs.y; k += parameters.pair_lanes) {
            let at = column.z + number_of(k) - parameters.base_mzi;
            let upper = coefficients[2u * at];
            let lower = coefficients[2u * at + 1u];
            let rows = modes_of(k, column) - part.low;
            for (var sample = sample_lane; sample < part.samples; sample += sample_lanes) {
                let slots = sample * part.width + rows;
                let x0 = fields[slots.x];
                let x1 = fields[slots.y];
                fields[slots.x] = cmul(upper.xy, x0) + cmul(upper.zw, x1);
                fields[slots.y] = cmul(lower.xy, x0) + cmul(lower.zw, x1);
            }
        }
        workgroupBarrier();
        if parameters.unbalanced == 1u {
            for (var i = local; i < slots; i += GROUP) {
                let mode = mode_at(part.low + i % part.width);
                fields[i] *= imbalance[index * parameters.modes + mode - parameters.base_imbalance];
            }
            workgroupBarrier();
        }
    }

    let tile = part.end - part.begin;
    for (var i = local; i < part.samples * tile; i += GROUP) {
        let sample = i / tile;
        let place = part.begin + i % tile;
        let mode = mode_at(place);
        var field = fields[sample * part.width + place - part.low];
        if parameters.finish == 1u {
            field = cmul(factors[mode], field);
        }
        after[(part.first_sample + sample) * parameters.modes + mode] = field;
    }
}
