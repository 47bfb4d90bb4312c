// Sends samples through the columns first_column..last_column in either direction, and keeps what stands at the phase shifters: behind
// those of theta and gamma, in front of those of phi, whichever way the light goes. Coefficients leave the mean loss of columns
// out; a column's table says it, from where light enters to where it meets the column's MZIs: (first row, count, first MZI, f32).
//
// forward:   y = M x,    theta: c2 y0 - i s2 y1,   phi: x0
// backward:  y = M^T x,  theta: c2 x0 + i s2 x1,   phi: y0

@group(0) @binding(1) var<storage, read> columns: array<vec4u>;
@group(0) @binding(2) var<storage, read> coefficients: array<vec4f>;
@group(0) @binding(3) var<storage, read> couplers: array<vec4f>;
@group(0) @binding(4) var<storage, read> imbalance: array<f32>;
@group(0) @binding(5) var<storage, read> before: array<vec2f>;
@group(0) @binding(6) var<storage, read> factors: array<vec2f>;
@group(0) @binding(7) var<storage, read_write> after: array<vec2f>;
// WATCH = 1: sums of powers [row, theta of the chunk's MZIs, phi of them], a row per lane of samples.
// WATCH = 2: fields [batch, control].
@group(0) @binding(8) var<storage, read_write> seen: array<f32>;

override BACKWARD: bool = false;
override WATCH: u32 = 0u;

var<workgroup> fields: array<vec2f, SLOTS>;

fn keep(sample: u32, control: u32, field: vec2f) {
    let at = 2u * (sample * (2u * parameters.mzis + parameters.modes) + control);
    seen[at] = field.x;
    seen[at + 1u] = field.y;
}

@compute @workgroup_size(GROUP)
fn mesh_send(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let number = linear_group(group, groups);
    let part = part_of(number);
    let slots = part.samples * part.width;
    for (var i = local; i < slots; i += GROUP) {
        let sample = part.first_sample + i / part.width;
        let place = part.low + i % part.width;
        let mode = mode_at(place);
        var field = before[sample * parameters.modes + mode];
        if BACKWARD && parameters.finish == 1u {
            if WATCH == 2u && place >= part.begin && place < part.end {
                keep(sample, 2u * parameters.mzis + mode, field);
            }
            field = cmul(factors[mode] / parameters.transmission, field);
        }
        fields[i] = field;
    }
    workgroupBarrier();

    let pair_lane = local % parameters.pair_lanes;
    let sample_lane = local / parameters.pair_lanes;
    let sample_lanes = GROUP / parameters.pair_lanes;
    let row_of_seen = (number / parameters.windows * sample_lanes + sample_lane) * 2u * parameters.chunk_mzis;
    for (var step = 0u; step < parameters.last_column - parameters.first_column; step++) {
        let index = select(parameters.first_column + step, parameters.last_column - 1u - step, BACKWARD);
        let column = columns[index];
        if BACKWARD && parameters.unbalanced == 1u {
            for (var i = local; i < slots; i += GROUP) {
                let mode = mode_at(part.low + i % part.width);
                fields[i] *= imbalance[index * parameters.modes + mode - parameters.base_imbalance];
            }
            workgroupBarrier();
        }
        let scale = bitcast<f32>(column.w);
        let pairs = pairs_of(part, column);
        for (var k = pairs.x + pair_lane; k < pairs.y; k += parameters.pair_lanes) {
            let mzi = column.z + number_of(k);
            let at = mzi - parameters.base_mzi;
            let upper = coefficients[2u * at];
            let lower = coefficients[2u * at + 1u];
            let c = couplers[at * parameters.coupler_stride].z;
            let s = couplers[at * parameters.coupler_stride].w;
            let rows = modes_of(k, column) - part.low;
            let place = rows.x + part.low;
            let is_own = place >= part.begin && place < part.end;
            var powers = vec2f(0.0);
            for (var sample = sample_lane; sample < part.samples; sample += sample_lanes) {
                let at_sample = sample * part.width + rows;
                let x0 = fields[at_sample.x];
                let x1 = fields[at_sample.y];
                var theta: vec2f;
                var phi: vec2f;
                if BACKWARD {
                    theta = c * x0 + s * vec2f(-x1.y, x1.x);
                    phi = cmul(upper.xy, x0) + cmul(lower.xy, x1);
                    fields[at_sample.x] = phi;
                    fields[at_sample.y] = cmul(upper.zw, x0) + cmul(lower.zw, x1);
                } else {
                    let y0 = cmul(upper.xy, x0) + cmul(upper.zw, x1);
                    let y1 = cmul(lower.xy, x0) + cmul(lower.zw, x1);
                    theta = c * y0 + s * vec2f(y1.y, -y1.x);
                    phi = x0;
                    fields[at_sample.x] = y0;
                    fields[at_sample.y] = y1;
                }
                if WATCH == 2u && is_own {
                    keep(part.first_sample + sample, mzi, scale * theta);
                    keep(part.first_sample + sample, parameters.mzis + mzi, scale * phi);
                }
                powers += vec2f(dot(theta, theta), dot(phi, phi));
            }
            if WATCH == 1u && is_own && part.first_sample < parameters.batch {
                let slot = row_of_seen + mzi - parameters.first_mzi;
                seen[slot] = scale * scale * powers.x;
                seen[slot + parameters.chunk_mzis] = scale * scale * powers.y;
            }
        }
        workgroupBarrier();
        if !BACKWARD && parameters.unbalanced == 1u {
            for (var i = local; i < slots; i += GROUP) {
                let mode = mode_at(part.low + i % part.width);
                fields[i] *= imbalance[index * parameters.modes + mode - parameters.base_imbalance];
            }
            workgroupBarrier();
        }
    }

    let tile = part.end - part.begin;
    for (var i = local; i < part.samples * tile; i += GROUP) {
        let sample = part.first_sample + i / tile;
        let place = part.begin + i % tile;
        let mode = mode_at(place);
        var field = fields[i / tile * part.width + place - part.low];
        if BACKWARD && parameters.first_column == 0u {
            field *= parameters.transmission;
        }
        if !BACKWARD && parameters.finish == 1u {
            field = cmul(factors[mode], field);
            if WATCH == 2u {
                keep(sample, 2u * parameters.mzis + mode, field);
            }
        }
        after[sample * parameters.modes + mode] = field;
    }
}
