// Photodetection: 0 power, 1 amplitude, 2 difference of two neighbours' powers, 3 real part against a local oscillator.

struct Detection {
    len: u32,
    kind: u32,
    cosine: f32,
    sine: f32,
}

@group(0) @binding(0) var<uniform> parameters: Detection;
