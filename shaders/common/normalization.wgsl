// Groups of neighbouring channels of images; a workgroup has one group of one sample.

struct Normalization {
    items: u32,
    channels: u32,
    groups: u32,
    area: u32,
    offset: u32,
    least_variance: f32,
}

@group(0) @binding(0) var<uniform> parameters: Normalization;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> controls: array<f32>;

var<workgroup> sums: array<vec2f, 64>;

// The sum of what all invocations of the workgroup give, for all of them.
fn together(value: vec2f, local: u32) -> vec2f {
    workgroupBarrier();
    sums[local] = value;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if local < half {
            sums[local] += sums[local + half];
        }
        workgroupBarrier();
    }
    return sums[0];
}

// Mean, and 1 / sqrt(variance + least), of `size` values from `first` on.
fn statistics(first: u32, size: u32, local: u32) -> vec2f {
    var sum = 0.0;
    for (var k = local; k < size; k += 64u) {
        sum += input[first + k];
    }
    let mean = together(vec2f(sum, 0.0), local).x / f32(size);
    var square = 0.0;
    for (var k = local; k < size; k += 64u) {
        let off = input[first + k] - mean;
        square += off * off;
    }
    let variance = together(vec2f(square, 0.0), local).x / f32(size);
    return vec2f(mean, 1.0 / sqrt(variance + parameters.least_variance));
}
