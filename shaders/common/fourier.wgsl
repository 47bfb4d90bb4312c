// A discrete Fourier transform of 2^k numbers in workgroup memory, by 64 invocations. There, it leaves number j of the spectrum where the
// bits of j in reverse say; back, it takes them from there, so that nobody puts them in order in between. Not divided by their number.

override LENGTH: u32 = 2u;

var<workgroup> line: array<vec2f, LENGTH>;

// Number j of the spectrum, e^{-2πi j/LENGTH} in `turns` being j's turn: half of them are enough.
fn transform_there(local: u32) {
    for (var half = LENGTH / 2u; half > 0u; half /= 2u) {
        for (var pair = local; pair < LENGTH / 2u; pair += 64u) {
            let place = pair % half;
            let upper = 2u * (pair - place) + place;
            let u = line[upper];
            let v = line[upper + half];
            line[upper] = u + v;
            line[upper + half] = cmul(turn(place * (LENGTH / 2u / half)), u - v);
        }
        workgroupBarrier();
    }
}

fn transform_back(local: u32) {
    for (var half = 1u; half < LENGTH; half *= 2u) {
        for (var pair = local; pair < LENGTH / 2u; pair += 64u) {
            let place = pair % half;
            let upper = 2u * (pair - place) + place;
            let u = line[upper];
            let v = cmul_conj(turn(place * (LENGTH / 2u / half)), line[upper + half]);
            line[upper] = u + v;
            line[upper + half] = u - v;
        }
        workgroupBarrier();
    }
}
