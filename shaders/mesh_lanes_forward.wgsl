// Sends samples through the columns first_column..last_column; the fields stay in the registers of a subgroup. The pass that
// finishes the mesh also multiplies by the outputs' factors.

@group(0) @binding(1) var<storage, read> columns: array<vec4u>;
@group(0) @binding(2) var<storage, read> coefficients: array<vec4f>;
@group(0) @binding(3) var<storage, read> imbalance: array<f32>;
@group(0) @binding(4) var<storage, read> before: array<vec2f>;
@group(0) @binding(5) var<storage, read> factors: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> after: array<vec2f>;

@compute @workgroup_size(64)
fn mesh_lanes_forward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let first_sample = (linear_group(group, groups) * SUBGROUPS + subgroup) * SAMPLES;
    let first_mode = lane * MODES;
    // [sample][mode], SAMPLES MODES of them used.
    var x = array<vec2f, 32>();
    for (var t = 0u; t < SAMPLES; t++) {
        for (var k = 0u; k < MODES; k++) {
            if first_sample + t < parameters.batch && first_mode + k < parameters.modes {
                x[t * MODES + k] = before[(first_sample + t) * parameters.modes + first_mode + k];
            }
        }
    }
    for (var index = parameters.first_column; index < parameters.last_column; index++) {
        let column = columns[index];
        let odd = column.x % 2u;
        for (var k = odd; k + 1u < MODES; k += 2u) {
            let mzi = mzi_at(i32(first_mode + k), column);
            if mzi >= 0 {
                let upper = coefficients[2u * (u32(mzi) - parameters.base_mzi)];
                let lower = coefficients[2u * (u32(mzi) - parameters.base_mzi) + 1u];
                for (var t = 0u; t < SAMPLES; t++) {
                    let x0 = x[t * MODES + k];
                    let x1 = x[t * MODES + k + 1u];
                    x[t * MODES + k] = cmul(upper.xy, x0) + cmul(upper.zw, x1);
                    x[t * MODES + k + 1u] = cmul(lower.xy, x0) + cmul(lower.zw, x1);
                }
            }
        }
        if odd == 1u {
            let above = mzi_at(i32(first_mode) - 1, column);
            let below = mzi_at(i32(first_mode + MODES) - 1, column);
            var upper = vec4f(1.0, 0.0, 0.0, 0.0);
            var lower = vec4f(0.0, 0.0, 1.0, 0.0);
            if below >= 0 {
                upper = coefficients[2u * (u32(below) - parameters.base_mzi)];
            }
            if above >= 0 {
                lower = coefficients[2u * (u32(above) - parameters.base_mzi) + 1u];
            }
            for (var t = 0u; t < SAMPLES; t++) {
                let first = x[t * MODES];
                let last = x[t * MODES + MODES - 1u];
                let next = subgroupShuffleDown(first, 1u);
                let previous = subgroupShuffleUp(last, 1u);
                if above >= 0 {
                    x[t * MODES] = cmul(lower.xy, previous) + cmul(lower.zw, first);
                }
                if below >= 0 {
                    x[t * MODES + MODES - 1u] = cmul(upper.xy, last) + cmul(upper.zw, next);
                }
            }
        }
        if parameters.unbalanced == 1u {
            for (var k = 0u; k < MODES; k++) {
                if first_mode + k < parameters.modes {
                    let t_k = imbalance[index * parameters.modes + first_mode + k - parameters.base_imbalance];
                    for (var t = 0u; t < SAMPLES; t++) {
                        x[t * MODES + k] *= t_k;
                    }
                }
            }
        }
    }
    for (var t = 0u; t < SAMPLES; t++) {
        for (var k = 0u; k < MODES; k++) {
            if first_sample + t < parameters.batch && first_mode + k < parameters.modes {
                var field = x[t * MODES + k];
                if parameters.finish == 1u {
                    field = cmul(factors[first_mode + k], field);
                }
                after[(first_sample + t) * parameters.modes + first_mode + k] = field;
            }
        }
    }
}
