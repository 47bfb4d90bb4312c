// Carries fields and adjoints, vec4f(field, adjoint), back through the columns last_column-1..=first_column in the registers of a
// subgroup, and sums the phase gradients over its samples: formulas as in mesh_backward. `partial` holds a row per subgroup.

@group(0) @binding(1) var<storage, read> columns: array<vec4u>;
@group(0) @binding(2) var<storage, read> coefficients: array<vec4f>;
@group(0) @binding(3) var<storage, read> couplers: array<vec4f>;
@group(0) @binding(4) var<storage, read> imbalance: array<f32>;
@group(0) @binding(5) var<storage, read> after: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> before: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> partial: array<f32>;

// Field and adjoint before an MZI in its upper or lower mode: conj(m) of the mode's two entries.
fn back(m0: vec2f, m1: vec2f, z0: vec4f, z1: vec4f) -> vec4f {
    return vec4f(cmul_conj(m0, z0.xy) + cmul_conj(m1, z1.xy), cmul_conj(m0, z0.zw) + cmul_conj(m1, z1.zw));
}

// Im a* v of a state (v, a).
fn product(state: vec4f) -> f32 {
    return state.z * state.y - state.w * state.x;
}

@compute @workgroup_size(64)
fn mesh_lanes_backward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let row = linear_group(group, groups) * SUBGROUPS + subgroup;
    let first_sample = row * SAMPLES;
    let first_mode = lane * MODES;
    let has_row = first_sample < parameters.batch;
    // [sample][mode], SAMPLES MODES of them used.
    var z = array<vec4f, 32>();
    for (var t = 0u; t < SAMPLES; t++) {
        for (var k = 0u; k < MODES; k++) {
            if first_sample + t < parameters.batch && first_mode + k < parameters.modes {
                z[t * MODES + k] = after[(first_sample + t) * parameters.modes + first_mode + k];
            }
        }
    }
    for (var index = parameters.last_column; index > parameters.first_column; index--) {
        let column = columns[index - 1u];
        let odd = column.x % 2u;
        if parameters.unbalanced == 1u {
            for (var k = 0u; k < MODES; k++) {
                if first_mode + k < parameters.modes {
                    let at = (index - 1u) * parameters.modes + first_mode + k;
                    let t_k = imbalance[at - parameters.base_imbalance];
                    for (var t = 0u; t < SAMPLES; t++) {
                        z[t * MODES + k] *= vec4f(1.0 / t_k, 1.0 / t_k, t_k, t_k);
                    }
                }
            }
        }
        for (var k = odd; k + 1u < MODES; k += 2u) {
            let mzi = mzi_at(i32(first_mode + k), column);
            if mzi >= 0 {
                let at = u32(mzi) - parameters.base_mzi;
                let upper = coefficients[2u * at];
                let lower = coefficients[2u * at + 1u];
                let coupler = couplers[at * parameters.coupler_stride];
                var theta = 0.0;
                var phi = 0.0;
                for (var t = 0u; t < SAMPLES; t++) {
                    let z0 = z[t * MODES + k];
                    let z1 = z[t * MODES + k + 1u];
                    theta += product(coupler.z * z0 + coupler.w * vec4f(z1.y, -z1.x, z1.w, -z1.z));
                    let x0 = back(upper.xy, lower.xy, z0, z1);
                    phi += product(x0);
                    z[t * MODES + k] = x0;
                    z[t * MODES + k + 1u] = back(upper.zw, lower.zw, z0, z1);
                }
                if has_row {
                    let slot = row * 2u * parameters.chunk_mzis + u32(mzi) - parameters.first_mzi;
                    partial[slot] = theta;
                    partial[slot + parameters.chunk_mzis] = phi;
                }
            }
        }
        if odd == 1u {
            let above = mzi_at(i32(first_mode) - 1, column);
            let below = mzi_at(i32(first_mode + MODES) - 1, column);
            let at_above = u32(max(above, 0)) - select(0u, parameters.base_mzi, above >= 0);
            let at_below = u32(max(below, 0)) - select(0u, parameters.base_mzi, below >= 0);
            let upper_above = coefficients[2u * at_above];
            let lower_above = coefficients[2u * at_above + 1u];
            let upper_below = coefficients[2u * at_below];
            let lower_below = coefficients[2u * at_below + 1u];
            let coupler = couplers[at_below * parameters.coupler_stride];
            var theta = 0.0;
            var phi = 0.0;
            for (var t = 0u; t < SAMPLES; t++) {
                let first = z[t * MODES];
                let last = z[t * MODES + MODES - 1u];
                let next = subgroupShuffleDown(first, 1u);
                let previous = subgroupShuffleUp(last, 1u);
                if above >= 0 {
                    z[t * MODES] = back(upper_above.zw, lower_above.zw, previous, first);
                }
                if below >= 0 {
                    theta += product(coupler.z * last + coupler.w * vec4f(next.y, -next.x, next.w, -next.z));
                    let x0 = back(upper_below.xy, lower_below.xy, last, next);
                    phi += product(x0);
                    z[t * MODES + MODES - 1u] = x0;
                }
            }
            if below >= 0 && has_row {
                let slot = row * 2u * parameters.chunk_mzis + u32(below) - parameters.first_mzi;
                partial[slot] = theta;
                partial[slot + parameters.chunk_mzis] = phi;
            }
        }
    }
    for (var t = 0u; t < SAMPLES; t++) {
        for (var k = 0u; k < MODES; k++) {
            if first_sample + t < parameters.batch && first_mode + k < parameters.modes {
                before[(first_sample + t) * parameters.modes + first_mode + k] = z[t * MODES + k];
            }
        }
    }
}
