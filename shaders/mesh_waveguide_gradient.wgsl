// From the gradient of a mesh's controls to that of its delta theta, the same as of theta, and of its waveguides: the transpose of
// waveguide_errors, from the outputs back.

@group(0) @binding(1) var<storage, read> columns: array<vec4u>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> walk: array<f32>;
@group(0) @binding(4) var<storage, read_write> imperfections: array<f32>;

@compute @workgroup_size(LANES)
fn mesh_waveguide_gradient(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let die = linear_group(group, groups);
    let modes = modes_of(die);
    if parameters.ends == 1u {
        for (var i = local; i < modes.y; i += LANES) {
            let mode = modes.x + i;
            let slope = gradient[parameters.controls + 2u * parameters.mzis + mode];
            walk[mode] = slope;
            imperfections[pieces_of(parameters.columns) + mode] = slope;
        }
    }
    storageBarrier();
    for (var index = parameters.last_column; index > parameters.first_column; index--) {
        let column = columns[index - 1u];
        let mzis = mzis_of(die, column);
        for (var k = local; k < mzis.y; k += LANES) {
            let rows = rows_of(die, k, column);
            let theta = parameters.controls + mzis.x + k;
            let slope = gradient[theta + parameters.mzis];
            walk[rows.y] = walk[rows.x] + walk[rows.y] - slope;
            walk[rows.x] = slope;
            imperfections[parameters.offset + 2u * parameters.mzis + mzis.x + k] = gradient[theta];
        }
        storageBarrier();
        for (var i = local; i < modes.y; i += LANES) {
            let mode = modes.x + i;
            imperfections[pieces_of(index - 1u) + mode] = walk[mode];
        }
        storageBarrier();
    }
}
