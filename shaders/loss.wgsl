// Loss of one readout per workgroup: dL/dx into `error`, (loss, second sum) into `scores`. The second is 1 if the largest class output
// is the label's, else 0; of real targets the squared distance.
//
// x~ is x, N x / sum(x) or x / |x|; the loss is softmax cross-entropy or the squared distance of gain x~ to the one-hot label or to the
// real targets.

struct Loss {
    batch: u32,
    outputs: u32,
    classes: u32,
    // 0: cross-entropy with a label, 1: squared distance to a label, 2: to real targets
    comparison: u32,
    normalization: u32,
    gain: f32,
    weight: f32,
    wants_error: u32,
}

@group(0) @binding(0) var<uniform> parameters: Loss;
@group(0) @binding(1) var<storage, read> readout: array<f32>;
// A label per sample, or the bits of one real target per compared output.
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read_write> error: array<f32>;
@group(0) @binding(4) var<storage, read_write> scores: array<vec2f>;

const LANES = 64u;
var<workgroup> partial: array<f32, 64>;
var<workgroup> place: array<u32, 64>;

// Sum over the workgroup, the same in every lane and in the same order every time.
fn total(local: u32, value: f32) -> f32 {
    workgroupBarrier();
    partial[local] = value;
    for (var step = LANES / 2u; step > 0u; step /= 2u) {
        workgroupBarrier();
        if local < step {
            partial[local] += partial[local + step];
        }
    }
    workgroupBarrier();
    return partial[0];
}

// Largest value and its first place over the workgroup.
fn largest(local: u32, value: f32, index: u32) -> u32 {
    workgroupBarrier();
    partial[local] = value;
    place[local] = index;
    for (var step = LANES / 2u; step > 0u; step /= 2u) {
        workgroupBarrier();
        if local < step {
            let other = partial[local + step];
            let index = place[local + step];
            if other > partial[local] || (other == partial[local] && index < place[local]) {
                partial[local] = other;
                place[local] = index;
            }
        }
    }
    workgroupBarrier();
    return place[0];
}

@compute @workgroup_size(64)
fn loss(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let sample = linear_group(group, groups);
    // Groups beyond the batch, which folding can make, work on a copy of sample 0 and write nothing.
    let real = sample < parameters.batch;
    let base = select(0u, sample * parameters.outputs, real);
    let label = targets[select(0u, sample, real)];
    let row = select(0u, sample * parameters.classes, real);
    let outputs = f32(parameters.outputs);

    var sum = 0.0;
    if parameters.normalization != 0u {
        for (var k = local; k < parameters.outputs; k += LANES) {
            let x = readout[base + k];
            sum += select(x, x * x, parameters.normalization == 2u);
        }
    }
    sum = total(local, sum);
    var norm = 1.0;
    if parameters.normalization == 1u {
        norm = sum / outputs;
    } else if parameters.normalization == 2u {
        norm = sqrt(sum);
    }
    let inverse = select(1.0 / norm, 1.0, norm == 0.0);
    let gain = parameters.gain * inverse;

    var best = min(local, parameters.classes - 1u);
    for (var k = local; k < parameters.classes; k += LANES) {
        if readout[base + k] > readout[base + best] {
            best = k;
        }
    }
    best = largest(local, readout[base + best], best);
    let peak = gain * readout[base + best];

    var exponentials = 0.0;
    var squares = 0.0;
    for (var k = local; k < parameters.classes; k += LANES) {
        let logit = gain * readout[base + k];
        if parameters.comparison != 0u {
            let miss = logit - wanted(row, k, label);
            squares += miss * miss;
        } else {
            exponentials += exp(logit - peak);
        }
    }
    exponentials = total(local, exponentials);
    squares = total(local, squares);

    var projection = 0.0;
    for (var k = local; k < parameters.classes; k += LANES) {
        projection += slope(base, row, k, label, gain, peak, exponentials) * readout[base + k];
    }
    projection = total(local, projection) * inverse;

    if parameters.wants_error == 1u && real {
        for (var k = local; k < parameters.outputs; k += LANES) {
            var value = 0.0;
            if k < parameters.classes {
                value = slope(base, row, k, label, gain, peak, exponentials);
            }
            if parameters.normalization == 1u {
                value -= projection / outputs;
            } else if parameters.normalization == 2u {
                value -= projection * readout[base + k] * inverse;
            }
            error[base + k] = parameters.weight * gain * value;
        }
    }
    if local == 0u && real {
        var value = squares;
        if parameters.comparison == 0u {
            value = log(exponentials) - (gain * readout[base + label] - peak);
        }
        scores[sample] = vec2f(value, select(select(0.0, 1.0, best == label), squares, parameters.comparison == 2u));
    }
}

// dL/d(logit k) of one sample.
fn slope(base: u32, row: u32, k: u32, label: u32, gain: f32, peak: f32, exponentials: f32) -> f32 {
    let logit = gain * readout[base + k];
    let target_value = wanted(row, k, label);
    if parameters.comparison != 0u {
        return 2.0 * (logit - target_value);
    }
    return exp(logit - peak) / exponentials - target_value;
}

// What compared output k of one sample should be.
fn wanted(row: u32, k: u32, label: u32) -> f32 {
    if parameters.comparison == 2u {
        return bitcast<f32>(targets[row + k]);
    }
    return select(0.0, 1.0, k == label);
}
