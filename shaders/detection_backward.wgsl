// a_z = e z for powers, e z / (2 |z|) for amplitudes (0 in the dark), e (cos + i sin) / 2 against a local oscillator; `len` counts
// fields.

@group(0) @binding(1) var<storage, read> input: array<vec2f>;
@group(0) @binding(2) var<storage, read> error: array<f32>;
@group(0) @binding(3) var<storage, read_write> adjoint_in: array<vec2f>;

@compute @workgroup_size(64)
fn detection_backward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let z = input[i];
    switch parameters.kind {
        case 0u: {
            adjoint_in[i] = error[i] * z;
        }
        case 1u: {
            let modulus = sqrt(dot(z, z));
            var factor = 0.0;
            if modulus > 0.0 {
                factor = 0.5 * error[i] / modulus;
            }
            adjoint_in[i] = factor * z;
        }
        case 2u: {
            adjoint_in[i] = select(error[i / 2u], -error[i / 2u], i % 2u == 1u) * z;
        }
        default: {
            adjoint_in[i] = 0.5 * error[i] * vec2f(parameters.cosine, parameters.sine);
        }
    }
}
