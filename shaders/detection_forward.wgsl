// Fields to real numbers; `len` counts what is detected.

@group(0) @binding(1) var<storage, read> input: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn detection_forward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    switch parameters.kind {
        case 0u: {
            output[i] = dot(input[i], input[i]);
        }
        case 1u: {
            output[i] = sqrt(dot(input[i], input[i]));
        }
        case 2u: {
            output[i] = dot(input[2u * i], input[2u * i]) - dot(input[2u * i + 1u], input[2u * i + 1u]);
        }
        default: {
            output[i] = dot(input[i], vec2f(parameters.cosine, parameters.sine));
        }
    }
}
