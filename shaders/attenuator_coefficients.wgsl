// Controls [theta_k.., g] to [t_k.., dt_k/dtheta_k.., dt_k/dg..] with the field transmission t = g sin(theta/2).

struct Attenuators {
    count: u32,
    inputs: u32,
    outputs: u32,
    batch: u32,
    offset: u32,
}

@group(0) @binding(0) var<uniform> parameters: Attenuators;
@group(0) @binding(1) var<storage, read> controls: array<f32>;
@group(0) @binding(2) var<storage, read_write> coefficients: array<f32>;

@compute @workgroup_size(64)
fn attenuator_coefficients(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.count {
        return;
    }
    let gain = controls[parameters.offset + parameters.count];
    let turn = cos_sin(0.5 * controls[parameters.offset + i]);
    coefficients[i] = gain * turn.y;
    coefficients[parameters.count + i] = 0.5 * gain * turn.x;
    coefficients[2u * parameters.count + i] = turn.y;
}
