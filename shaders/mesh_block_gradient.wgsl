// Phase gradients of every block from the products of its output fields and adjoints over the whole batch,
// gram[block][chunk][j][i] = sum of a_i y_j*: all phase gradients depend on the batch only through them. The batch is replaced by 64
// samples whose fields are the rows of the identity and whose adjoints are the rows of that sum, and these go back through the
// block as in mesh_backward. A workgroup carries 16 of them; `partial` holds a row for each half of a workgroup's samples.

@group(0) @binding(1) var<storage, read> columns: array<vec4u>;
@group(0) @binding(2) var<storage, read> coefficients: array<vec4f>;
@group(0) @binding(3) var<storage, read> couplers: array<vec4f>;
@group(0) @binding(4) var<storage, read> imbalance: array<f32>;
@group(0) @binding(5) var<storage, read> gram: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> partial: array<f32>;

const PARTS = 4u;
const SAMPLES = 16u;
var<workgroup> states: array<array<vec4f, 64>, 16>;

fn transmission(index: u32, mode: i32) -> f32 {
    if !is_mode(mode) {
        return 1.0;
    }
    return imbalance[index * parameters.modes + u32(mode) - parameters.base_imbalance];
}

@compute @workgroup_size(64)
fn mesh_block_gradient(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let place = linear_group(group, groups);
    let number = place / PARTS;
    let part = place % PARTS;
    let block = block_of(number);
    for (var sample = 0u; sample < SAMPLES; sample++) {
        let j = part * SAMPLES + sample;
        var sum = vec2f();
        for (var chunk = 0u; chunk < parameters.chunks; chunk++) {
            sum += gram[((number * parameters.chunks + chunk) * WIDTH + j) * WIDTH + local];
        }
        states[sample][local] = vec4f(select(0.0, 1.0, local == j), 0.0, sum);
    }
    workgroupBarrier();

    let pair = i32(local % 32u);
    let line = number * 2u * PARTS + 2u * part + local / 32u;
    for (var turn = 0; turn < CROSSED; turn++) {
        let step = CROSSED - 1 - turn;
        let index = block.column + step;
        let row = row_of(step, pair);
        if index >= 0 && index < i32(parameters.columns) && row >= 0 {
            let mzi = mzi_at(block, row, columns[index]);
            var scale0 = vec4f(1.0);
            var scale1 = vec4f(1.0);
            if parameters.unbalanced == 1u {
                let t0 = transmission(u32(index), block.low + row);
                let t1 = transmission(u32(index), block.low + row + 1);
                scale0 = vec4f(1.0 / t0, 1.0 / t0, t0, t0);
                scale1 = vec4f(1.0 / t1, 1.0 / t1, t1, t1);
            }
            if mzi >= 0 {
                let at = u32(mzi) - parameters.base_mzi;
                let upper = coefficients[2u * at];
                let lower = coefficients[2u * at + 1u];
                let c = couplers[at * parameters.coupler_stride].z;
                let s = couplers[at * parameters.coupler_stride].w;
                var theta = 0.0;
                var phi = 0.0;
                for (var sample = local / 32u; sample < SAMPLES; sample += 2u) {
                    let z0 = scale0 * states[sample][row];
                    let z1 = scale1 * states[sample][row + 1];
                    let v = c * z0 + s * vec4f(z1.y, -z1.x, z1.w, -z1.z);
                    theta += v.z * v.y - v.w * v.x;
                    let x0 = cmul_conj(upper.xy, z0.xy) + cmul_conj(lower.xy, z1.xy);
                    let x1 = cmul_conj(upper.zw, z0.xy) + cmul_conj(lower.zw, z1.xy);
                    let a0 = cmul_conj(upper.xy, z0.zw) + cmul_conj(lower.xy, z1.zw);
                    let a1 = cmul_conj(upper.zw, z0.zw) + cmul_conj(lower.zw, z1.zw);
                    phi += a0.x * x0.y - a0.y * x0.x;
                    states[sample][row] = vec4f(x0, a0);
                    states[sample][row + 1] = vec4f(x1, a1);
                }
                // u - U HALF = (step + row - (HALF - 1)) / 2 and v - V HALF = step - that.
                let u = u32(step + row - (HALF - 1)) / 2u;
                let slot = line * 2048u + u * 32u + u32(step) - u;
                partial[slot] = theta;
                partial[slot + 1024u] = phi;
            } else {
                for (var sample = local / 32u; sample < SAMPLES; sample += 2u) {
                    states[sample][row] *= scale0;
                    states[sample][row + 1] *= scale1;
                }
            }
        }
        workgroupBarrier();
    }
}
