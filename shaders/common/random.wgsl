// Philox 4x32-10 and normal draws: the twins of at-core/src/imperfections/random.rs, which gives the source and the known answers.

// (low, high) of the 64-bit product.
fn wide_product(a: u32, b: u32) -> vec2u {
    let al = a & 0xffffu;
    let ah = a >> 16u;
    let bl = b & 0xffffu;
    let bh = b >> 16u;
    let middle = ah * bl + ((al * bl) >> 16u);
    let carried = (middle & 0xffffu) + al * bh;
    return vec2u(a * b, ah * bh + (middle >> 16u) + (carried >> 16u));
}

fn philox(key: vec2u, counter: vec4u) -> vec4u {
    var c = counter;
    var k = key;
    for (var round = 0u; round < 10u; round++) {
        let p = wide_product(0xd2511f53u, c.x);
        let q = wide_product(0xcd9e8d57u, c.z);
        c = vec4u(q.y ^ c.y ^ k.x, q.x, p.y ^ c.w ^ k.y, p.x);
        k += vec2u(0x9e3779b9u, 0xbb67ae85u);
    }
    return c;
}

// Exact in f32.
fn uniform_of(word: u32) -> f32 {
    return (f32(word >> 9u) + 0.5) * 1.1920928955078125e-7;
}

// -ln u; near 1, where WGSL promises its logarithm only to an absolute error, by the series in 1 - u.
fn minus_ln(u: f32) -> f32 {
    let d = 1.0 - u;
    let series = d * (1.0 + d * (0.5 + d * (0.333333333 + d * (0.25 + d * (0.2 + d * 0.166666667)))));
    return select(-log(u), series, d < 0.04);
}

fn normals(key: vec2u, counter: vec4u) -> vec4f {
    let words = philox(key, counter);
    let a = sqrt(2.0 * minus_ln(uniform_of(words.x))) * cos_sin(6.28318530718 * uniform_of(words.y));
    let b = sqrt(2.0 * minus_ln(uniform_of(words.z))) * cos_sin(6.28318530718 * uniform_of(words.w));
    return vec4f(a, b);
}
