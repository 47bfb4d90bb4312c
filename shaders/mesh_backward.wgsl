// Carries fields and adjoints, vec4f(field, adjoint), back through the columns last_column-1..=first_column and sums the phase
// gradients over this workgroup's samples. With unit-gain columns the field is rebuilt by M^H; only the imbalance is divided out.
//
// v0 = c2 y0 - i s2 y1, alpha0 likewise of the adjoints: dL/dtheta = -2 Im sum alpha0* v0
// after M^H:                                             dL/dphi   = -2 Im sum a0* x0
// `partial` holds the sums without the factor -2: [row, theta of the chunk's MZIs, phi of them], a row per lane of samples.
//
// With IMPERFECTIONS a row goes on with the sums of both couplers' angle errors. X swaps the waveguides and commutes with couplers:
// behind the second one:     dL/ddelta2 = -2 Im sum (a0* y1 + a1* y0)
// before phi, after M^H:     dL/ddelta1 = -2 Im sum (e^{-i phi} a0* x1 + e^{i phi} a1* x0)

@group(0) @binding(1) var<storage, read> columns: array<vec4u>;
@group(0) @binding(2) var<storage, read> coefficients: array<vec4f>;
@group(0) @binding(3) var<storage, read> couplers: array<vec4f>;
@group(0) @binding(4) var<storage, read> imbalance: array<f32>;
@group(0) @binding(5) var<storage, read> after: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> before: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> partial: array<f32>;
// (cos phi, sin phi) of every MZI, read with IMPERFECTIONS only.
@group(0) @binding(8) var<storage, read> turns: array<vec2f>;

override IMPERFECTIONS: bool = false;

var<workgroup> states: array<vec4f, SLOTS>;

@compute @workgroup_size(GROUP)
fn mesh_backward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let number = linear_group(group, groups);
    let part = part_of(number);
    let slots = part.samples * part.width;
    for (var i = local; i < slots; i += GROUP) {
        let sample = part.first_sample + i / part.width;
        states[i] = after[sample * parameters.modes + mode_at(part.low + i % part.width)];
    }
    workgroupBarrier();

    let pair_lane = local % parameters.pair_lanes;
    let sample_lane = local / parameters.pair_lanes;
    let sample_lanes = GROUP / parameters.pair_lanes;
    let sums = select(2u, 4u, IMPERFECTIONS);
    let row_of_partial = (number / parameters.windows * sample_lanes + sample_lane) * sums * parameters.chunk_mzis;
    for (var index = parameters.last_column; index > parameters.first_column; index--) {
        let column = columns[index - 1u];
        if parameters.unbalanced == 1u {
            for (var i = local; i < slots; i += GROUP) {
                let at = (index - 1u) * parameters.modes + mode_at(part.low + i % part.width);
                let t = imbalance[at - parameters.base_imbalance];
                states[i] *= vec4f(1.0 / t, 1.0 / t, t, t);
            }
            workgroupBarrier();
        }
        let pairs = pairs_of(part, column);
        for (var k = pairs.x + pair_lane; k < pairs.y; k += parameters.pair_lanes) {
            let mzi = column.z + number_of(k);
            let at = mzi - parameters.base_mzi;
            let upper = coefficients[2u * at];
            let lower = coefficients[2u * at + 1u];
            let c = couplers[at * parameters.coupler_stride].z;
            let s = couplers[at * parameters.coupler_stride].w;
            let rows = modes_of(k, column) - part.low;
            var theta = 0.0;
            var phi = 0.0;
            var first = 0.0;
            var second = 0.0;
            var turn = vec2f();
            if IMPERFECTIONS {
                turn = turns[at];
            }
            for (var sample = sample_lane; sample < part.samples; sample += sample_lanes) {
                let at_sample = sample * part.width + rows;
                let z0 = states[at_sample.x];
                let z1 = states[at_sample.y];
                let v = c * z0 + s * vec4f(z1.y, -z1.x, z1.w, -z1.z);
                theta += v.z * v.y - v.w * v.x;
                let x0 = cmul_conj(upper.xy, z0.xy) + cmul_conj(lower.xy, z1.xy);
                let x1 = cmul_conj(upper.zw, z0.xy) + cmul_conj(lower.zw, z1.xy);
                let a0 = cmul_conj(upper.xy, z0.zw) + cmul_conj(lower.xy, z1.zw);
                let a1 = cmul_conj(upper.zw, z0.zw) + cmul_conj(lower.zw, z1.zw);
                phi += a0.x * x0.y - a0.y * x0.x;
                if IMPERFECTIONS {
                    second += z0.z * z1.y - z0.w * z1.x + z1.z * z0.y - z1.w * z0.x;
                    let p = cmul_conj(a0, x1);
                    let q = cmul_conj(a1, x0);
                    first += turn.x * (p.y + q.y) + turn.y * (q.x - p.x);
                }
                states[at_sample.x] = vec4f(x0, a0);
                states[at_sample.y] = vec4f(x1, a1);
            }
            let place = rows.x + part.low;
            if place >= part.begin && place < part.end && part.first_sample < parameters.batch {
                let slot = row_of_partial + mzi - parameters.first_mzi;
                partial[slot] = theta;
                partial[slot + parameters.chunk_mzis] = phi;
                if IMPERFECTIONS {
                    partial[slot + 2u * parameters.chunk_mzis] = first;
                    partial[slot + 3u * parameters.chunk_mzis] = second;
                }
            }
        }
        workgroupBarrier();
    }

    let tile = part.end - part.begin;
    for (var i = local; i < part.samples * tile; i += GROUP) {
        let sample = i / tile;
        let place = part.begin + i % tile;
        let at = (part.first_sample + sample) * parameters.modes + mode_at(place);
        before[at] = states[sample * part.width + place - part.low];
    }
}
