// a_z = f_z* a_f + f_{z*} a_f*, with the Wirtinger derivatives at the nonlinearity's input.

@group(0) @binding(1) var<storage, read> input: array<vec2f>;
@group(0) @binding(2) var<storage, read> adjoint: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> adjoint_in: array<vec2f>;

// (f_z, f_{z*})
fn derivatives(z: vec2f) -> vec4f {
    let power = dot(z, z);
    let square = cmul(z, z);
    switch parameters.kind {
        case 0u: {
            let half = half_turn(power);
            let turn = cmul(half, half);
            let slope = parameters.second * vec2f(-turn.y, turn.x);
            let holomorphic = half.x * half - power * slope;
            let conjugate = -cmul(slope, square);
            return parameters.first * vec4f(-holomorphic.y, holomorphic.x, -conjugate.y, conjugate.x);
        }
        case 1u: {
            let relief = 1.0 + power * parameters.second;
            let gain = exp(-parameters.first / relief);
            let slope = gain * parameters.first * parameters.second / (relief * relief);
            return vec4f(gain + slope * power, 0.0, slope * square);
        }
        case 2u: {
            let modulus = sqrt(power);
            if modulus > parameters.first {
                let half = 0.5 * parameters.first / modulus;
                return vec4f(1.0 - half, 0.0, half / power * square);
            }
            return vec4f(0.0);
        }
        default: {
            let g = parameters.first;
            let turn = turn_back(g * power);
            let conjugate = g * cmul(turn, square);
            return vec4f(cmul(turn, vec2f(1.0, -g * power)), conjugate.y, -conjugate.x);
        }
    }
}

@compute @workgroup_size(64)
fn activation_backward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i < parameters.len {
        let slopes = derivatives(input[i]);
        let a = adjoint[i];
        adjoint_in[i] = cmul_conj(slopes.xy, a) + cmul_conj(a, slopes.zw);
    }
}
