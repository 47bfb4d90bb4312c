// H of a plane that stands where an estimate [s_x, s_y, s_z, t_x, t_y] says, which begins at `offset`: H of the design, turned by
// e^{i(s_x f/f_e + s_y g/g_e)} e^{s_z D}; and the ramps e^{i t_x u} of columns, then e^{i t_y v} of rows. `places` are u, v, f/f_e of the
// columns that pass, and g/g_e of the padded rows in the order of `transfer`.

struct FreeSpaceEstimate {
    rows: u32,
    columns: u32,
    passed: u32,
    length: u32,
    offset: u32,
}

@group(0) @binding(0) var<uniform> parameters: FreeSpaceEstimate;
@group(0) @binding(1) var<storage, read> estimate: array<f32>;
@group(0) @binding(2) var<storage, read> designed: array<vec2f>;
@group(0) @binding(3) var<storage, read> depth: array<vec2f>;
@group(0) @binding(4) var<storage, read> places: array<f32>;
@group(0) @binding(5) var<storage, read_write> transfer: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> ramps: array<vec2f>;

@compute @workgroup_size(64)
fn free_space_estimate(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    let length = parameters.length;
    let entries = parameters.passed * length;
    let at = parameters.offset;
    if i < entries {
        let deep = estimate[at + 2u] * depth[i];
        let column = parameters.columns + parameters.rows + i / length;
        let row = parameters.columns + parameters.rows + parameters.passed + i % length;
        let aside = estimate[at] * places[column] + estimate[at + 1u] * places[row];
        transfer[i] = cmul(exp(deep.x) * cos_sin(aside + deep.y), designed[i]);
        return;
    }
    let pixel = i - entries;
    if pixel < parameters.columns + parameters.rows {
        let tilt = select(estimate[at + 3u], estimate[at + 4u], pixel >= parameters.columns);
        ramps[pixel] = cos_sin(tilt * places[pixel]);
    }
}
