// From the phases of a mesh's waveguides to errors of its phi and gamma. A phase b in front of both inputs of an MZI leaves by both
// outputs, so diag(e^{ia}, e^{ib}) there is an error a - b of phi and a phase b for both waveguides behind.

@group(0) @binding(1) var<storage, read> columns: array<vec4u>;
@group(0) @binding(2) var<storage, read> estimate: array<f32>;
@group(0) @binding(3) var<storage, read_write> walk: array<f32>;
@group(0) @binding(4) var<storage, read_write> phase_errors: array<f32>;

@compute @workgroup_size(LANES)
fn mesh_waveguide_errors(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let die = linear_group(group, groups);
    let modes = modes_of(die);
    for (var index = parameters.first_column; index < parameters.last_column; index++) {
        for (var i = local; i < modes.y; i += LANES) {
            let mode = modes.x + i;
            let before = select(walk[mode], 0.0, index == 0u);
            walk[mode] = before + estimate[pieces_of(index) + mode];
        }
        storageBarrier();
        let column = columns[index];
        let mzis = mzis_of(die, column);
        for (var k = local; k < mzis.y; k += LANES) {
            let rows = rows_of(die, k, column);
            let lower = walk[rows.y];
            phase_errors[parameters.mzis + mzis.x + k] = walk[rows.x] - lower;
            walk[rows.x] = lower;
        }
        storageBarrier();
    }
    if parameters.ends == 1u {
        for (var i = local; i < modes.y; i += LANES) {
            let mode = modes.x + i;
            phase_errors[2u * parameters.mzis + mode] = walk[mode] + estimate[pieces_of(parameters.columns) + mode];
        }
    }
}
