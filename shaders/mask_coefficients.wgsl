// Controls to transmissions t = sin²(θ/2) e^{i(φ + e)} and slopes dt/dθ, as (t, dt/dθ) of every pixel.

@group(0) @binding(1) var<storage, read> controls: array<f32>;
@group(0) @binding(2) var<storage, read> errors: array<f32>;
@group(0) @binding(3) var<storage, read_write> pixels: array<vec4f>;

@compute @workgroup_size(64)
fn mask_coefficients(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.pixels {
        return;
    }
    var turn = vec2f(1.0, 0.0);
    if parameters.has_phases == 1u {
        turn = cos_sin(controls[parameters.offset + i]);
    }
    if parameters.has_errors == 1u {
        turn = cmul(turn, cos_sin(errors[i]));
    }
    var amplitude = 1.0;
    var slope = 0.0;
    if parameters.has_angles == 1u {
        let angle = controls[parameters.offset + parameters.has_phases * parameters.pixels + i];
        let half = cos_sin(0.5 * angle);
        amplitude = half.y * half.y;
        slope = half.x * half.y;
    }
    pixels[i] = vec4f(amplitude * turn, slope * turn);
}
