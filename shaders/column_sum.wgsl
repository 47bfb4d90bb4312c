// target[target_offset + c] = scale factor_c sum over rows of source [rows, stride], for the first `columns` of each row; factor_c
// is 1 or factors[factor_offset + c]. Eight lanes a column, added in order. Pairs of sums stand `spread` pairs apart.

struct ColumnSum {
    rows: u32,
    columns: u32,
    stride: u32,
    target_offset: u32,
    factor_offset: u32,
    has_factor: u32,
    scale: f32,
    spread: u32,
}

@group(0) @binding(0) var<uniform> parameters: ColumnSum;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> factors: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

const LANES = 8u;
var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(256)
fn column_sum(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let column = linear_group(group, groups) * 32u + local % 32u;
    var sum = 0.0;
    if column < parameters.columns {
        for (var row = local / 32u; row < parameters.rows; row += LANES) {
            sum += source[row * parameters.stride + column];
        }
    }
    partial[local] = sum;
    workgroupBarrier();
    if local < 32u && column < parameters.columns {
        var total = 0.0;
        for (var lane = 0u; lane < LANES; lane++) {
            total += partial[lane * 32u + local];
        }
        var factor = parameters.scale;
        if parameters.has_factor == 1u {
            factor *= factors[parameters.factor_offset + column];
        }
        sums[parameters.target_offset + column / 2u * 2u * parameters.spread + column % 2u] = factor * total;
    }
}
