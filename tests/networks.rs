//! The networks that are tested and timed.

use at_core::data::ImageShape;
use at_core::network::{Detection, Entry, Feedback, Layer, Network, Recurrence, Stage, singular_value_stages};
use at_core::optics::{Activation, AngularSpectrum, Layout, Mesh};
use at_core::stage::{Combiner, Part, Patches, Pool, Pooling, Regions, Splitter, Transmission};
use at_core::tiled::{tiled_singular_value_stages, tiled_stages};

/// Every nonlinearity, at parameters where each part of its formula matters.
pub const ACTIVATIONS: [Activation; 5] = [
    Activation::ElectroOptic { tap: 0.1, gain: 0.9, bias: 2.2 },
    Activation::Saturable { depth: 1.7, saturation: 0.6 },
    Activation::ModRelu { bias: 0.3 },
    Activation::Spm { gain: 0.8 },
    Activation::ELECTRO_OPTIC,
];

/// Every way of detection.
pub const DETECTIONS: [Detection; 4] =
    [Detection::Intensity, Detection::Amplitude, Detection::Balanced, Detection::Homodyne { phase: 0.7 }];

/// One mesh and its detectors, as two layers, so that the fields between them can be read.
pub fn mesh_and_detectors(mesh: &Mesh, detection: Detection) -> Network {
    let detectors = Stage::detection(mesh.modes(), detection);
    network(vec![vec![Stage::Mesh(mesh.clone())], vec![detectors]])
}

/// Meshes that are neither rectangular nor triangular, of even and odd sizes: named ones, redundant columns, any list, and dies of them.
pub fn other_shapes() -> Vec<Mesh> {
    let custom = [vec![[0, 6], [1, 3]], vec![[2, 5]], vec![[0, 1], [2, 3], [4, 6]], vec![[3, 5]], vec![[0, 6]]];
    let neighbours = [vec![[3, 4]], vec![[0, 1], [3, 4]], vec![[2, 3]]];
    let wide: Vec<Vec<[usize; 2]>> =
        (0..9).map(|column| (0..16).map(|pair| [pair, 16 + (5 * column + 7 * pair) % 17]).collect()).collect();
    let made = [
        Mesh::diamond(2),
        Mesh::diamond(6),
        Mesh::diamond(16),
        Mesh::butterfly(2),
        Mesh::butterfly(8),
        Mesh::butterfly(64),
        Mesh::benes(2),
        Mesh::benes(4),
        Mesh::benes(32),
        Mesh::of_columns(7, &custom),
        Mesh::of_columns(5, &neighbours),
        Mesh::of_columns(33, &wide),
        Mesh::truncated(7, 11),
        Mesh::butterfly(4).and_then(|die| die.on_dies(3)),
        Mesh::diamond(4).and_then(|die| die.on_dies(5)),
        Mesh::of_columns(7, &custom).and_then(|die| die.on_dies(2)),
    ];
    made.into_iter().map(|mesh| mesh.expect("possible shapes")).collect()
}

/// Rectangular meshes with the activation behind all but the last, and detectors behind that.
pub fn coherent(modes: usize, meshes: usize, activation: Activation, detection: Detection) -> Network {
    let mesh = || Stage::Mesh(Mesh::rectangular(modes).expect("sizes of the tests are possible"));
    let hidden = || vec![mesh(), Stage::activation(modes, activation)];
    let mut layers: Vec<Layer> = (1..meshes).map(|_| hidden()).collect();
    layers.push(vec![mesh(), Stage::detection(modes, detection)]);
    network(layers)
}

/// Matrices with rectifiers between them: the published demonstration's shape.
pub fn matrices(widths: &[usize]) -> Network {
    dense(widths, Stage::matrix)
}

/// Weight banks with rectifiers between them.
pub fn weight_banks(widths: &[usize]) -> Network {
    dense(widths, Stage::weight_bank)
}

/// Banks of microrings with rectifiers between them, buses of three channels, of which the last is not full.
pub fn ring_banks(widths: &[usize]) -> Network {
    dense(widths, |inputs, outputs| Stage::ring_bank(inputs, outputs, 3, 12.0))
}

/// Crossbars of phase-change cells with rectifiers between them.
pub fn phase_change(widths: &[usize]) -> Network {
    dense(widths, Stage::phase_change)
}

/// Two convolutions, of a weight bank and of a matrix wide enough for sparse products; maxima of patches that leave an edge over, means
/// of patches that overlap, and normalisation; a weight bank.
pub fn convolutional() -> Network {
    let patches = |image, kernel, padding| Patches { image, kernel, stride: 1, padding };
    let first = patches(ImageShape::new(2, 9, 8), [3, 2], 1);
    let second = patches(ImageShape::new(4, 4, 4), [2, 2], 0);
    let pooling = |image, size, stride, pool| Stage::Pooling(Pooling { image, size, stride, pool });
    network(vec![
        vec![
            Stage::convolution(first, Stage::weight_bank(12, 4)),
            Stage::rectifier(4 * 81, 0.05),
            pooling(ImageShape::new(4, 9, 9), 2, 2, Pool::Max),
        ],
        vec![
            Stage::convolution(second, Stage::matrix(16, 20)),
            Stage::normalization(ImageShape::new(20, 3, 3), 4),
            Stage::rectifier(20 * 9, 0.0),
            pooling(ImageShape::new(20, 3, 3), 2, 1, Pool::Average),
        ],
        vec![Stage::weight_bank(80, 5)],
    ])
}

/// Networks whose layers are crossed again and again, of every entry and feedback: in light, in numbers, behind a layer in front, up to the
/// readout.
pub fn looped() -> Vec<(&'static str, Network)> {
    let closed = |layers, own| Network::recurrent(layers, own).expect("the loop closes");
    let over = |layers, steps, entry| Recurrence { layers, steps, entry, feedback: Feedback::Analogue };
    let light = || coherent(5, 2, ACTIVATIONS[1], Detection::Intensity).layers().to_vec();
    let cell = |inputs, state: usize| {
        let behind = vec![Stage::matrix(4, state), Stage::rectifier(state, 0.0)];
        let last = vec![Stage::weight_bank(state, 3)];
        vec![vec![Stage::weight_bank(inputs + state, 4), Stage::rectifier(4, 0.05)], behind, last]
    };
    let mesh = Stage::Mesh(Mesh::rectangular(4).expect("possible sizes"));
    let modulated = vec![Stage::modulation(4), mesh, Stage::detection(4, Detection::Amplitude)];
    let behind = vec![vec![Stage::weight_bank(7, 4)], modulated, vec![Stage::matrix(4, 3)]];
    let converted = Recurrence { feedback: Feedback::Converted, ..over(0..2, 4, Entry::Parts(2)) };
    vec![
        ("light that is fed back", closed(light(), over(0..1, 4, Entry::Once))),
        ("light beside light in parts", closed(light(), over(0..1, 3, Entry::Parts(2)))),
        ("light beside light that is held", closed(light(), over(0..1, 3, Entry::Held(1)))),
        ("a cell that takes parts", closed(cell(2, 3), converted)),
        ("a cell that takes all", closed(cell(5, 3), over(0..2, 3, Entry::Held(5)))),
        ("modulated again, behind a bank", closed(behind, over(1..2, 3, Entry::Once))),
        ("a loop up to the readout", closed(vec![vec![Stage::weight_bank(4, 4)]], over(0..1, 3, Entry::Once))),
    ]
}

/// Light between modulators and detectors, as patches cross it.
fn lit(inputs: usize, stages: Vec<Stage>, detection: Detection) -> Stage {
    let modes = stages.last().expect("something is lit").output().modes;
    Stage::series([vec![Stage::modulation(inputs)], stages, vec![Stage::detection(modes, detection)]].concat())
}

/// A network of patches through every linear element: what it is, and two convolutions of it with pooling between them. Diffractive
/// planes are but the first.
pub fn patches_through_anything() -> Vec<(&'static str, Network)> {
    let svd = |inputs, outputs| {
        let meshes = singular_value_stages(inputs, outputs, Layout::Rectangular).expect("possible sizes");
        lit(inputs, meshes.into(), Detection::Homodyne { phase: 0.2 })
    };
    let mesh = |inputs, outputs| {
        let read = Stage::attenuators(inputs, outputs);
        let stages = vec![Stage::Mesh(Mesh::rectangular(inputs).expect("possible sizes")), read];
        lit(inputs, stages, Detection::Amplitude)
    };
    let planes = |inputs: usize, outputs| {
        let (pitch_um, distance_um, wavelength_um) = (400.0, 250.0, 750.0);
        let spectrum = AngularSpectrum { rows: 2, columns: inputs / 2, pitch_um, distance_um, wavelength_um };
        let mask = Stage::mask(2, inputs / 2, Transmission::Complex);
        let regions = Stage::regions(2, inputs / 2, outputs, 1);
        let stages =
            vec![Stage::modulation(inputs), Stage::free_space(spectrum), mask, Stage::free_space(spectrum), regions];
        Stage::series(stages)
    };
    let rings = |inputs, outputs| Stage::ring_bank(inputs, outputs, 3, 12.0);
    type Element = dyn Fn(usize, usize) -> Stage;
    let elements: [(&str, &Element); 5] = [
        ("ring banks", &rings),
        ("crossbars", &Stage::phase_change),
        ("singular values", &svd),
        ("meshes", &mesh),
        ("diffractive planes", &planes),
    ];
    let of = |(what, element): (&'static str, &Element)| {
        let patches = |image, stride, padding| Patches { image, kernel: [2; 2], stride, padding };
        let first = patches(ImageShape::new(2, 5, 4), 1, 1);
        let pool = Stage::pooling(ImageShape::new(4, 6, 5), 2, Pool::Max);
        let second = patches(ImageShape::new(4, 3, 2), 1, 0);
        let layers = vec![
            vec![Stage::convolution(first, element(8, 4)), Stage::rectifier(120, 0.0), pool],
            vec![Stage::convolution(second, element(16, 3)), Stage::rectifier(6, 0.0)],
            vec![Stage::matrix(6, 3)],
        ];
        (what, network(layers))
    };
    elements.into_iter().map(of).collect()
}

/// Nothing but meshes, and all of them inside other stages but two: patches through singular values, through tiles of them in a residual
/// connection, and a branch of light between two meshes that stand by themselves.
pub fn meshes_inside() -> Network {
    let svd = |inputs, outputs| -> Vec<Stage> {
        singular_value_stages(inputs, outputs, Layout::Rectangular).expect("possible sizes").into()
    };
    let homodyne = Detection::Homodyne { phase: 0.2 };
    let patches = |image, size| Patches { image, kernel: [size; 2], stride: 1, padding: 1 };
    let first = Stage::convolution(patches(ImageShape::new(2, 5, 4), 2), lit(8, svd(8, 4), homodyne));
    let pool = Stage::pooling(ImageShape::new(4, 6, 5), 2, Pool::Max);
    let tiles =
        tiled_singular_value_stages(36, 4, &Mesh::rectangular(4).expect("possible sizes")).expect("whole tiles");
    let second = Stage::convolution(patches(ImageShape::new(4, 3, 2), 3), lit(36, tiles, homodyne));
    let branch = Stage::residual(vec![
        Stage::Mesh(Mesh::rectangular(24).expect("possible sizes")),
        activation(24, ACTIVATIONS[0]),
    ]);
    let end = [vec![Stage::modulation(24), branch], svd(24, 3), vec![Stage::detection(3, homodyne)]].concat();
    network(vec![
        vec![first, Stage::rectifier(120, 0.0), pool],
        vec![Stage::residual(vec![second]), Stage::rectifier(24, 0.0)],
        end,
    ])
}

/// Residual connections: of convolutions with normalisation and one inside another, of banks, and of light; and detectors that pool.
pub fn residuals() -> Vec<(&'static str, Network)> {
    let conv = |channels: usize, outputs| {
        let image = ImageShape::new(channels, 4, 3);
        let patches = Patches { image, kernel: [3; 2], stride: 1, padding: 1 };
        Stage::convolution(patches, Stage::weight_bank(patches.entries(), outputs))
    };
    let normalization = Stage::normalization(ImageShape::new(3, 4, 3), 3);
    let inner = Stage::residual(vec![conv(3, 3)]);
    let branch = vec![conv(2, 3), normalization, Stage::rectifier(36, 0.0), inner, conv(3, 2)];
    let images = vec![
        vec![conv(1, 2), Stage::rectifier(24, 0.0)],
        vec![Stage::residual(branch), Stage::rectifier(24, 0.0)],
        vec![Stage::weight_bank(24, 3)],
    ];
    let banks = vec![Stage::weight_bank(6, 20), Stage::rectifier(20, 0.1), Stage::matrix(20, 6)];
    let banks = vec![vec![Stage::weight_bank(5, 6)], vec![Stage::residual(banks)], vec![Stage::weight_bank(6, 3)]];
    let mesh = || Stage::Mesh(Mesh::rectangular(6).expect("possible sizes"));
    let lit = Stage::residual(vec![mesh(), activation(6, ACTIVATIONS[0])]);
    let light = vec![vec![mesh()], vec![lit], vec![mesh(), Stage::detection(6, Detection::Intensity)]];
    let pool = Stage::pooling(ImageShape::new(2, 4, 3), 2, Pool::Detectors);
    let currents = vec![vec![conv(1, 2), pool, Stage::rectifier(4, 0.0)], vec![Stage::weight_bank(4, 3)]];
    vec![
        ("convolutions whose detectors pool", network(currents)),
        ("a residual connection of convolutions", network(images)),
        ("a residual connection of banks", network(banks)),
        ("a residual connection of light", network(light)),
    ]
}

/// A small one for golden numbers: six patches of 2×2 cross one bank, means of patches that overlap, a weight bank.
pub fn few_patches() -> Network {
    let patches = Patches { image: ImageShape::new(1, 3, 4), kernel: [2, 2], stride: 1, padding: 0 };
    let pooling = Pooling { image: ImageShape::new(3, 2, 3), size: 2, stride: 1, pool: Pool::Average };
    let convolution = Stage::convolution(patches, Stage::weight_bank(4, 3));
    network(vec![vec![convolution, Stage::rectifier(18, 0.0), Stage::Pooling(pooling)], vec![Stage::weight_bank(6, 3)]])
}

fn dense(widths: &[usize], linear: impl Fn(usize, usize) -> Stage) -> Network {
    let mut layers: Vec<Layer> =
        widths.windows(2).map(|pair| vec![linear(pair[0], pair[1]), Stage::rectifier(pair[1], 0.05)]).collect();
    layers.last_mut().expect("there are at least two widths").pop();
    network(layers)
}

/// Masks of every kind with free space between them, on a grid of this many rows and columns, and two detectors.
pub fn diffractive(rows: usize, columns: usize) -> Network {
    let (pitch_um, distance_um, wavelength_um) = (400.0, 1500.0, 750.0);
    let space = || Stage::free_space(AngularSpectrum { rows, columns, pitch_um, distance_um, wavelength_um });
    let mut layers: Vec<Layer> =
        Transmission::ALL.map(|transmission| vec![space(), Stage::mask(rows, columns, transmission)]).into();
    let side = Regions::longest_side(rows, columns, 2);
    layers.last_mut().expect("masks of every kind").extend([space(), Stage::regions(rows, columns, 2, side)]);
    network(layers)
}

/// Three tiled layers of dies with the mesh `tile`: widening, narrowing to one row of tiles, widening from one column.
pub fn tiled(tile: &Mesh) -> Network {
    let modes = tile.modes();
    let layer = |inputs: usize, outputs: usize, last: Stage| {
        let mut stages = tiled_stages(inputs * modes, outputs * modes, tile).expect("whole tiles");
        stages.push(last);
        stages
    };
    let detection = Stage::detection(2 * modes, Detection::Intensity);
    network(vec![
        layer(2, 3, activation(3 * modes, ACTIVATIONS[4])),
        layer(3, 1, activation(modes, ACTIVATIONS[3])),
        layer(1, 2, detection),
    ])
}

/// The dies of one of several ranks in a layer of 2 × 3 tiles: from the middle of a row to that of the next, and behind it an activation.
pub fn part_of_tiles() -> Network {
    let tile = Mesh::rectangular(5).expect("possible sizes");
    let part = Part { first: 10, modes: 15 };
    let splitter = Stage::Splitter(Splitter { inputs: 15, copies: 2, part });
    let combiner = Stage::Combiner(Combiner { outputs: 10, parts: 3, block: 5, part });
    let dies = Stage::Mesh(tile.on_dies(3).expect("three dies"));
    let first = vec![splitter, dies, combiner, activation(10, ACTIVATIONS[0])];
    network(vec![first, vec![Stage::detection(10, Detection::Intensity)]])
}

/// Stages of many kinds in one network, with odd and unequal sizes: layers of dies with splitters and combiners, which narrow, in front
/// of [`recorded_stages`].
pub fn every_stage() -> Network {
    let tile = Mesh::rectangular(5).expect("possible sizes");
    let dies = |outputs: usize, last| {
        let stages = tiled_stages(10, outputs, &tile).expect("whole tiles");
        stages.into_iter().chain([activation(outputs, last)]).collect()
    };
    let mut layers = vec![dies(10, ACTIVATIONS[1]), dies(5, ACTIVATIONS[2])];
    layers.extend(recorded_stages().layers().iter().cloned());
    network(layers)
}

/// The stages on one die, one behind the other, as golden numbers were recorded with them: a narrowing and a widening
/// singular-value stage, activation, detection, rectifier, weight bank, modulation, a shallow mesh, detection, matrix.
pub fn recorded_stages() -> Network {
    let svd = |inputs, outputs, layout| singular_value_stages(inputs, outputs, layout).expect("possible sizes");
    let narrowing = svd(5, 3, Layout::Triangular).into_iter().chain([activation(3, ACTIVATIONS[3])]).collect();
    let widening = svd(3, 7, Layout::Rectangular).into_iter().chain([activation(7, ACTIVATIONS[0])]).collect();
    let electronic =
        vec![Stage::detection(7, Detection::Intensity), Stage::rectifier(7, 0.02), Stage::weight_bank(7, 5)];
    let shallow = vec![
        Stage::modulation(5),
        Stage::Mesh(Mesh::truncated(5, 3).expect("possible sizes")),
        Stage::detection(5, Detection::Homodyne { phase: -0.4 }),
        Stage::matrix(5, 4),
    ];
    network(vec![narrowing, widening, electronic, shallow])
}

fn activation(modes: usize, activation: Activation) -> Stage {
    Stage::activation(modes, activation)
}

/// A network whose stages are known to fit together.
pub fn network(layers: Vec<Layer>) -> Network {
    Network::new(layers).expect("the stages fit together")
}

/// Networks in which every kind of stage is that a GPU can have: [`every_stage`], and for a kind that is not in it, one around the kind's
/// example.
pub fn every_kind() -> Vec<Network> {
    let many = every_stage();
    let absent = |stage: &Stage| many.stages().all(|other| other.kind() != stage.kind());
    let further: Vec<_> = Stage::examples().into_iter().filter(absent).map(around).collect();
    [vec![many], further].concat()
}

/// A network with this stage in the middle, in layers of their own: controls lie in front of it, so that its way back shows, and what
/// leaves is detected.
pub fn around(stage: Stage) -> Network {
    let (modes, leaves) = (stage.input().modes, stage.output());
    let mut layers = vec![vec![Stage::matrix(5, modes)]];
    if stage.input().complex {
        layers.push(vec![Stage::modulation(modes)]);
        // fields of any phase; a single waveguide has none that would matter
        layers.extend(Mesh::rectangular(modes).ok().map(|mesh| vec![Stage::Mesh(mesh)]));
    }
    layers.push(vec![stage]);
    if leaves.complex {
        layers.push(vec![Stage::detection(leaves.modes, Detection::Homodyne { phase: 0.3 })]);
    }
    network(layers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use at_shaders::Kernel;
    use std::path::Path;

    #[test]
    fn no_kind_is_in_no_network() {
        let networks = every_kind();
        let found: Vec<_> = networks.iter().flat_map(|network| network.stages().map(Stage::kind)).collect();
        // engines that need kernels refuse elements of one's own: `own_stage.rs` has them
        for kind in Stage::KINDS.iter().filter(|kind| **kind != "Own") {
            assert!(found.contains(kind), "{kind}");
        }
    }

    #[test]
    fn a_network_can_be_made_around_the_example_of_any_kind() {
        for stage in Stage::examples() {
            let network = around(stage.clone());
            let place = network.stages().position(|own| *own == stage).unwrap();
            assert!(network.stages().take(place).any(|own| own.controls() > 0), "{stage:?}");
        }
    }

    /// `WeightBank` is `weight_bank` in names of files.
    fn file_name(kind: &str) -> String {
        let word = |(k, c): (usize, char)| match c.is_uppercase() && k > 0 {
            true => format!("_{}", c.to_ascii_lowercase()),
            false => c.to_ascii_lowercase().to_string(),
        };
        kind.char_indices().map(word).collect()
    }

    #[test]
    fn who_knows_a_stage_finds_its_kernels_in_files_of_its_name() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for name in Stage::KINDS.iter().map(|kind| file_name(kind)) {
            for folder in ["at-core/src/stage", "at-core/src/cpu", "at-gpu/src"] {
                let file = root.join(folder).join(format!("{name}.rs"));
                let there = file.exists() || file.with_extension("").join("mod.rs").exists();
                assert!(there != (name == "own" && folder == "at-gpu/src"), "{folder}/{name}.rs");
            }
            let kernel = |kernel: &&Kernel| kernel.name().starts_with(name.trim_end_matches('s'));
            let without = ["own", "series", "residual"].contains(&name.as_str()); // the latter have those of the stages inside
            assert!(Kernel::ALL.iter().any(|own| kernel(&own)) != without, "kernels of {name}");
        }
    }
}
