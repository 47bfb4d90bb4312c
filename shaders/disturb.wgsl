// Noise of a chip's signals: x (1 + g xi_pass)(1 + r xi_sample)(1 + rho xi) + sqrt(alpha^2 + s^2 |x|) xi', then the converter.
// `gain` is 1 + g xi_pass; of complex fields `relative` and `absolute` are rho and alpha over the square root of 2.

struct Disturb {
    len: u32,
    modes: u32,
    is_complex: u32,
    per_mode: u32,
    key_low: u32,
    key_high: u32,
    pass_number: u32,
    site: u32,
    gain: f32,
    sample_gain: f32,
    relative: f32,
    absolute: f32,
    shot: f32,
    low: f32,
    step: f32,
    top: f32,
    first_sample: u32,
}

@group(0) @binding(0) var<uniform> parameters: Disturb;
@group(0) @binding(1) var<storage, read_write> signal: array<f32>;

fn draws(sample: u32, mode: u32) -> vec4f {
    let key = vec2u(parameters.key_low, parameters.key_high);
    return normals(key, vec4u(mode, sample, parameters.pass_number, parameters.site));
}

// A step of 0 stands for no converter.
fn converted(x: f32) -> f32 {
    if parameters.step == 0.0 {
        return x;
    }
    return parameters.low + parameters.step * clamp(floor((x - parameters.low) / parameters.step + 0.5), 0.0, parameters.top);
}

@compute @workgroup_size(64)
fn disturb(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let sample = parameters.first_sample + i / parameters.modes;
    var factor = parameters.gain;
    if parameters.sample_gain != 0.0 {
        factor *= 1.0 + parameters.sample_gain * draws(sample, 0xffffffffu).x;
    }
    var xi = vec4f();
    if parameters.per_mode == 1u {
        xi = draws(sample, i % parameters.modes);
    }
    if parameters.is_complex == 1u {
        let z = factor * vec2f(signal[2u * i], signal[2u * i + 1u]);
        let turned = cmul(z, vec2f(1.0, 0.0) + parameters.relative * xi.xy) + parameters.absolute * xi.zw;
        signal[2u * i] = converted(turned.x);
        signal[2u * i + 1u] = converted(turned.y);
    } else {
        let x = factor * signal[i] * (1.0 + parameters.relative * xi.x);
        let variance = parameters.absolute * parameters.absolute + parameters.shot * parameters.shot * abs(x);
        signal[i] = converted(x + sqrt(variance) * xi.z);
    }
}
