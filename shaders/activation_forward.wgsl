// An optical nonlinearity on every mode.

@group(0) @binding(1) var<storage, read> input: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> output: array<vec2f>;

fn value(z: vec2f) -> vec2f {
    let power = dot(z, z);
    switch parameters.kind {
        case 0u: {
            let turn = half_turn(power);
            return cmul(parameters.first * turn.x * vec2f(-turn.y, turn.x), z);
        }
        case 1u: {
            return exp(-parameters.first / (1.0 + power * parameters.second)) * z;
        }
        case 2u: {
            let modulus = sqrt(power);
            if modulus > parameters.first {
                return (1.0 - parameters.first / modulus) * z;
            }
            return vec2f(0.0);
        }
        default: {
            return cmul(z, turn_back(parameters.first * power));
        }
    }
}

@compute @workgroup_size(64)
fn activation_forward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i < parameters.len {
        output[i] = value(input[i]);
    }
}
