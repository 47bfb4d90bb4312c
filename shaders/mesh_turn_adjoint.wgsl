// Adjoints behind a mesh, times -i per dB: what the way back finds of phases with the adjoint a, -2 Im sum a* y, it then finds of losses,
// -2 Re sum a* y.

struct MeshTurnAdjoint {
    len: u32,
}

// ln 10 / 20
const NEPERS = 0.115129255;

@group(0) @binding(0) var<uniform> parameters: MeshTurnAdjoint;
@group(0) @binding(1) var<storage, read> adjoint: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> turned: array<vec2f>;

@compute @workgroup_size(64)
fn mesh_turn_adjoint(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i < parameters.len {
        let a = adjoint[i];
        turned[i] = NEPERS * vec2f(a.y, -a.x);
    }
}
