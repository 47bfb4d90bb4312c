// Sends the identity through every block: matrices[block][j][i] is what light in window row j sends to row i. With `inverse`, backwards
// through the inverse of every column, which differs from the adjoint where losses do. A workgroup carries 16 of the 64 rows j.

@group(0) @binding(1) var<storage, read> columns: array<vec4u>;
@group(0) @binding(2) var<storage, read> coefficients: array<vec4f>;
@group(0) @binding(3) var<storage, read> imbalance: array<f32>;
@group(0) @binding(4) var<storage, read_write> matrices: array<vec2f>;

const PARTS = 4u;
const SAMPLES = 16u;
var<workgroup> fields: array<array<vec2f, 64>, 16>;

fn transmission(index: u32, mode: i32) -> f32 {
    if !is_mode(mode) {
        return 1.0;
    }
    return imbalance[index * parameters.modes + u32(mode) - parameters.base_imbalance];
}

@compute @workgroup_size(64)
fn mesh_block_matrices(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let place = linear_group(group, groups);
    let number = place / PARTS;
    let first_sample = place % PARTS * SAMPLES;
    let block = block_of(number);
    for (var sample = 0u; sample < SAMPLES; sample++) {
        fields[sample][local] = vec2f(select(0.0, 1.0, local == first_sample + sample), 0.0);
    }
    workgroupBarrier();

    let pair = i32(local % 32u);
    for (var turn = 0; turn < CROSSED; turn++) {
        let step = select(turn, CROSSED - 1 - turn, parameters.inverse == 1u);
        let index = block.column + step;
        let row = row_of(step, pair);
        if index >= 0 && index < i32(parameters.columns) && row >= 0 {
            let mzi = mzi_at(block, row, columns[index]);
            var upper = vec4f(1.0, 0.0, 0.0, 0.0);
            var lower = vec4f(0.0, 0.0, 1.0, 0.0);
            if mzi >= 0 {
                upper = coefficients[2u * (u32(mzi) - parameters.base_mzi)];
                lower = coefficients[2u * (u32(mzi) - parameters.base_mzi) + 1u];
            }
            var t0 = 1.0;
            var t1 = 1.0;
            if parameters.unbalanced == 1u {
                t0 = transmission(u32(index), block.low + row);
                t1 = transmission(u32(index), block.low + row + 1);
            }
            for (var sample = local / 32u; sample < SAMPLES; sample += 2u) {
                let x0 = fields[sample][row];
                let x1 = fields[sample][row + 1];
                if parameters.inverse == 1u {
                    let z0 = x0 / t0;
                    let z1 = x1 / t1;
                    fields[sample][row] = cmul_conj(upper.xy, z0) + cmul_conj(lower.xy, z1);
                    fields[sample][row + 1] = cmul_conj(upper.zw, z0) + cmul_conj(lower.zw, z1);
                } else {
                    fields[sample][row] = t0 * (cmul(upper.xy, x0) + cmul(upper.zw, x1));
                    fields[sample][row + 1] = t1 * (cmul(lower.xy, x0) + cmul(lower.zw, x1));
                }
            }
        }
        workgroupBarrier();
    }
    for (var sample = 0u; sample < SAMPLES; sample++) {
        matrices[(number * WIDTH + first_sample + sample) * WIDTH + local] = fields[sample][local];
    }
}
