// From what a chip is told to the phases of its heaters and their derivatives: update errors, range, voltage steps, heater law.
// `slope` is 1 + E; a range of 0 stands for any phase, one below 0 for phase-change cells and for
// pixels with levels, whose base is the turn that these divide, `levels` of 0 for any voltage.

struct Follow {
    len: u32,
    quartic: f32,
    levels: f32,
}

@group(0) @binding(0) var<uniform> parameters: Follow;
@group(0) @binding(1) var<storage, read> controls: array<f32>;
@group(0) @binding(2) var<storage, read> origin: array<f32>;
@group(0) @binding(3) var<storage, read> slopes: array<f32>;
@group(0) @binding(4) var<storage, read> gains: array<f32>;
@group(0) @binding(5) var<storage, read> bases: array<f32>;
@group(0) @binding(6) var<storage, read> ranges: array<f32>;
@group(0) @binding(7) var<storage, read_write> heat: array<f32>;
@group(0) @binding(8) var<storage, read_write> derivative: array<f32>;

@compute @workgroup_size(64)
fn follow(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let slope = slopes[i];
    let gain = gains[i];
    let base = bases[i];
    let range = ranges[i];
    let followed = origin[i] + slope * (controls[i] - origin[i]);
    if range == 0.0 {
        heat[i] = gain * followed;
        derivative[i] = slope * gain;
        return;
    }
    if range < 0.0 && base > 0.0 {
        // a pixel with -range levels
        let step = base / -range;
        heat[i] = floor(followed / step + 0.5) * step;
        derivative[i] = slope;
        return;
    }
    if range < 0.0 {
        // a pair of phase-change cells with 1 - range levels
        heat[i] = floor(clamp(followed, -1.0, 1.0) * -range + 0.5) / -range;
        derivative[i] = select(slope, 0.0, abs(followed) > 1.0);
        return;
    }
    var within = followed - base;
    if within < 0.0 || within > range {
        within -= 6.28318530718 * floor(within * 0.159154943092);
    }
    let share = within / range;
    var volts = sqrt(clamp(share, 0.0, 1.0));
    if parameters.levels > 0.0 {
        volts = floor(volts * parameters.levels + 0.5) / parameters.levels;
    }
    let square = volts * volts;
    heat[i] = range * square * (gain + parameters.quartic * square);
    derivative[i] = select(slope * (gain + 2.0 * parameters.quartic * square), 0.0, share > 1.0);
}
