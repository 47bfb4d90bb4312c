// Controls [theta, phi, gamma] to what light meets: M of every MZI, and the factor of every output.
//
// M00 = e^{i phi}(c1 c2 e^{i theta} - s1 s2)      M01 = i(s1 c2 e^{i theta} + c1 s2)
// M10 = i e^{i phi}(c1 s2 e^{i theta} + s1 c2)    M11 = c1 c2 - s1 s2 e^{i theta}
// factor = transmission e^{i gamma}
//
// One dispatch treats `count` MZIs from `first` on, whose coefficients lie in one binding; the first one also the outputs.

struct MeshCoefficients {
    mzis: u32,
    first: u32,
    count: u32,
    outputs: u32,
    offset: u32,
    has_errors: u32,
    coupler_stride: u32,
    transmission: f32,
}

@group(0) @binding(0) var<uniform> parameters: MeshCoefficients;
@group(0) @binding(1) var<storage, read> controls: array<f32>;
@group(0) @binding(2) var<storage, read> phase_errors: array<f32>;
@group(0) @binding(3) var<storage, read> couplers: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> coefficients: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> factors: array<vec2f>;

fn turn(index: u32) -> vec2f {
    var angle = controls[parameters.offset + index];
    if parameters.has_errors == 1u {
        angle += phase_errors[index];
    }
    return cos_sin(angle);
}

@compute @workgroup_size(64)
fn mesh_coefficients(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i < parameters.count {
        let t = turn(parameters.first + i);
        let f = turn(parameters.mzis + parameters.first + i);
        let coupler = couplers[i * parameters.coupler_stride];
        let c1 = coupler.x;
        let s1 = coupler.y;
        let c2 = coupler.z;
        let s2 = coupler.w;
        let m00 = cmul(f, c1 * c2 * t - vec2f(s1 * s2, 0.0));
        let inner01 = s1 * c2 * t + vec2f(c1 * s2, 0.0);
        let inner10 = cmul(f, c1 * s2 * t + vec2f(s1 * c2, 0.0));
        let m11 = vec2f(c1 * c2, 0.0) - s1 * s2 * t;
        coefficients[2u * i] = vec4f(m00, -inner01.y, inner01.x);
        coefficients[2u * i + 1u] = vec4f(-inner10.y, inner10.x, m11);
    } else if i < parameters.count + parameters.outputs {
        let mode = i - parameters.count;
        factors[mode] = parameters.transmission * turn(2u * parameters.mzis + mode);
    }
}
