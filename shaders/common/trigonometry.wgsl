// (cos x, sin x) to about 1e-7, because WGSL's own are only promised to 2^-11. The argument is reduced by multiples of pi/2 that
// are split into three parts (Cody and Waite), so the bound holds up to |x| of several thousand; polynomials of Moshier's Cephes.

fn cos_sin(x: f32) -> vec2f {
    let turns = round(x * 0.636619772);
    let r = ((x - turns * 1.5703125) - turns * 4.837512969970703e-4) - turns * 7.549789954891882e-8;
    let z = r * r;
    let s = r + r * z * ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1);
    let c = 1.0 - 0.5 * z + z * z * ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2);
    let quarter = i32(turns) & 3;
    let swapped = select(vec2f(c, s), vec2f(-s, c), (quarter & 1) == 1);
    return select(swapped, -swapped, quarter >= 2);
}
