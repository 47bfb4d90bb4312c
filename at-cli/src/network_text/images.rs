//! Networks for images as one word: `conv:16@5x5,pool:2,conv:32@5x5,pool:2,bank:128-out`, and those that have a name.
//!
//! The shape of the image goes from part to part. A rectifier follows every linear stage but the last; banks, matrices, crossbars and singular
//! values at the end take the flattened image, so their widths are those of what leaves them.

use super::flat_end::FlatEnd;
use super::image_parts::{Part, convolution, pool_currents, pooling};
use super::stage::StageText;
use crate::names;
use anyhow::{Context, Result, anyhow, bail, ensure};
use at_core::data::ImageShape;
use at_core::stage::Pool;

/// Networks that have a name. LeNet-5: LeCun et al., Proc. IEEE 86, 2278 (1998), with maxima and rectifiers; its 32×32 inputs are
/// 28×28 images and a border. VGG-8 for 32×32 images: Simonyan and Zisserman, arXiv:1409.1556 (2014), with the eight layers that
/// Courbariaux et al., BinaryConnect, arXiv:1511.00363 (2015) and simulators of analogue hardware take, one dense layer less,
/// and normalisation sample by sample.
pub const NAMED: [(&str, &str); 2] = [
    ("lenet-5", "conv:6@5x5,padding=2,pool:2,conv:16@5x5,pool:2,bank:120-84-out"),
    (
        "vgg-8",
        "conv:128@3x3,padding=1,norm,conv:128@3x3,padding=1,norm,pool:2,conv:256@3x3,padding=1,norm,\
         conv:256@3x3,padding=1,norm,pool:2,conv:512@3x3,padding=1,norm,conv:512@3x3,padding=1,norm,pool:2,bank:1024-out",
    ),
];

/// Whether the word is one of images.
pub fn is_of_images(text: &str) -> bool {
    ["image:", "conv:", "pool:"].iter().any(|kind| text.starts_with(kind)) || NAMED.iter().any(|own| own.0 == text)
}

/// The word behind a name, else the word itself.
fn spelled_out(text: &str) -> &str {
    NAMED.iter().find(|own| own.0 == text).map_or(text, |own| own.1)
}

fn parts(text: &str) -> Result<Vec<Part<'_>>> {
    let mut parts: Vec<Part> = Vec::new();
    for piece in spelled_out(text).split(',') {
        match (piece.split_once(':'), parts.last_mut()) {
            (None, _) if ["split", "add"].contains(&piece) => {
                parts.push(Part { kind: piece, rest: "", options: Vec::new() });
            }
            (Some((kind, rest)), _) => parts.push(Part { kind, rest, options: Vec::new() }),
            (None, Some(last)) => last.options.push(piece),
            (None, None) => bail!("write it as in conv:16@5x5,pool:2,bank:128-out"),
        }
    }
    Ok(parts)
}

/// The image of so many features where nothing is known of it: a square one of one channel, else of three.
fn square(features: usize) -> Result<ImageShape> {
    let of = |channels: usize| {
        let side = (features / channels).isqrt();
        (side > 0 && channels * side * side == features).then(|| ImageShape::new(channels, side, side))
    };
    let said = "begin with its shape, image:CHANNELSxHEIGHTxWIDTH,…";
    of(1)
        .or_else(|| of(3))
        .ok_or_else(|| anyhow!("{features} features are no square image of one or three channels: {said}"))
}

/// The layers of a word, for images of so many features, whose shape may be `known`, and so many classes. Errs where the word begins
/// with another shape.
pub fn layers(text: &str, features: usize, known: Option<ImageShape>, classes: usize) -> Result<Vec<Vec<StageText>>> {
    let mut parts = parts(text)?;
    let mut image = match parts.first() {
        Some(first) if first.kind == "image" => {
            let first = parts.remove(0);
            ensure!(first.options.is_empty(), "image: has no option {:?}", first.options[0]);
            let said: ImageShape = first.rest.parse()?;
            if let Some(known) = known {
                ensure!(
                    said == known,
                    "image:{}: the images that enter are {known}, channels first; drop it or write image:{known}",
                    first.rest
                );
            }
            said
        }
        _ => known.map_or_else(|| square(features), Ok)?,
    };
    let mut layers: Vec<Vec<StageText>> = Vec::new();
    let mut in_front = Vec::new();
    let mut branch: Option<Branch> = None;
    let count = parts.len();
    ensure!(count > 0, "write it as in image:1x28x28,conv:16@5x5,pool:2,bank:128-out");
    for (index, part) in parts.iter().enumerate() {
        let place =
            || if part.rest.is_empty() { part.kind.to_string() } else { format!("{}:{}", part.kind, part.rest) };
        match part.kind {
            "split" => {
                ensure!(part.options.is_empty(), "split: has no option {:?}", part.options[0]);
                ensure!(branch.is_none(), "split: what was split before is not added yet; put add in front");
                branch = Some(Branch { image, stages: Vec::new() });
            }
            "add" => {
                ensure!(part.options.is_empty(), "add: has no option {:?}", part.options[0]);
                let Branch { image: split, mut stages } =
                    branch.take().ok_or_else(|| anyhow!("add: nothing is split"))?;
                ensure!(!stages.is_empty(), "add: nothing stands between split and it");
                ensure!(
                    split == image,
                    "add: images of {split} were split, and {image} come to be added; as many channels and a padding keep a shape"
                );
                // rectified behind the sum
                if let Some(StageText::Rectifier { .. }) = stages.last() {
                    stages.pop();
                }
                in_front.extend([StageText::Residual { stages }, StageText::Rectifier { threshold: 0.0 }]);
                layers.push(std::mem::take(&mut in_front));
            }

            "conv" => {
                let (stages, leaves) = convolution(part, image).with_context(place)?;
                let behind = branch.as_mut().map_or(&mut in_front, |branch| &mut branch.stages);
                behind.extend(stages);
                behind.push(StageText::Rectifier { threshold: 0.0 });
                if branch.is_none() {
                    layers.push(std::mem::take(&mut in_front));
                }
                image = leaves;
            }
            "pool" => {
                let (stage, leaves) = pooling(part, image).with_context(place)?;
                let behind = match &mut branch {
                    Some(branch) => &mut branch.stages,
                    None => layers.last_mut().unwrap_or(&mut in_front),
                };
                match stage {
                    StageText::Pooling { pool: Pool::Detectors, .. } => {
                        let follows = index.checked_sub(1).map(|before| parts[before].kind);
                        ensure!(
                            follows == Some("conv"),
                            "{}: the detectors of a conv pool: put it behind one",
                            place()
                        );
                        pool_currents(behind, stage, leaves);
                    }
                    _ => behind.push(stage),
                }
                image = leaves;
            }
            "image" => bail!("{}: the shape of the images stands in front of all else", place()),
            other => {
                let Some(end) = FlatEnd::named(other) else {
                    let known = ["conv", "pool", "split", "add", "image"].into_iter().chain(FlatEnd::NAMES);
                    bail!("{}", names::unknown("part", other, known))
                };
                ensure!(index + 1 == count, "{}: nothing follows it, the image is flattened there", place());
                ensure!(branch.is_none(), "{}: what was split is not added yet; put add in front", place());
                let mut behind = end.layers(part.rest, &part.options, image, classes).with_context(place)?;
                in_front.append(&mut behind[0]);
                behind[0] = std::mem::take(&mut in_front);
                layers.append(&mut behind);
            }
        }
    }
    ensure!(branch.is_none(), "split: what was split is never added; put add behind the branch");
    let last = layers.last_mut().ok_or_else(|| anyhow!("needs a convolution, or a bank at its end"))?;
    if matches!(parts.last(), Some(part) if ["conv", "pool", "add"].contains(&part.kind)) {
        last.retain(|stage| !matches!(stage, StageText::Rectifier { .. })); // a readout may be negative
    }
    Ok(layers)
}

/// What stands between split and add.
struct Branch {
    /// What was split.
    image: ImageShape,
    stages: Vec<StageText>,
}

/// The word with the shape of its images in front, and the number of classes in the place of `out`.
pub fn explicit(text: &str, features: usize, known: Option<ImageShape>, classes: usize) -> String {
    let text = spelled_out(text);
    let number = |part: &str| match part.split_once(':') {
        Some((kind, widths)) if FlatEnd::named(kind).is_some() => {
            let width = |word: &str| match word.strip_prefix("out") {
                Some(rest) if ["", "-", "x", "/"].contains(&rest) => format!("{classes}{rest}"),
                Some(_) | None => word.to_string(),
            };
            let widths: String = widths.split_inclusive(['-', 'x', '/']).map(width).collect();
            format!("{kind}:{widths}")
        }
        Some(_) | None => part.to_string(),
    };
    let all = text.split(',').map(number).collect::<Vec<_>>().join(",");
    match known.map_or_else(|| square(features), Ok) {
        Ok(image) if !text.starts_with("image:") => format!("image:{image},{all}"),
        Ok(_) | Err(_) => all,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{NetworkText, build};
    use super::*;
    use at_core::network::Network;

    fn network(text: &str, features: usize) -> Result<Network> {
        build(&NetworkText::Short(text.to_string()).layers(features, 10)?)
    }

    #[test]
    fn shapes_go_from_part_to_part() {
        for (text, features, layers, controls) in [
            ("conv:16@5x5,pool:2,conv:32@5x5,pool:2,bank:128-10", 784, 4, 16 * 26 + 32 * 401 + 128 * 513 + 10 * 129),
            ("lenet-5", 784, 5, 6 * 26 + 16 * 151 + 120 * 401 + 84 * 121 + 10 * 85),
            ("image:3x6x5,conv:4@3x2,stride=2,padding=1,matrix,bank:out", 90, 2, 4 * 19 + 10 * (4 * 3 * 3 + 1)),
            ("conv:4@3,padding=1,conv:10@1,pool:8,average", 64, 2, 4 * 10 + 10 * 5),
            ("pool:2,bank:out", 64, 1, 10 * 17),
            ("conv:4@3,norm=2,pool:2,conv:8@2,norm,bank:out", 64, 3, 4 * 10 + 8 + 8 * 17 + 16 + 10 * 33),
            ("conv:2@3,pool:2,stride=1,matrix:5-out", 192, 3, 2 * 28 + 5 * 51 + 60),
            ("conv:4@3,rings,channels=3,pool:2,bank:out", 64, 2, 4 * 10 + 10 * 37),
            ("conv:4@3,pcm,pool:2,bank:out", 64, 2, 4 * 10 + 10 * 37),
            ("conv:4@3,svd,pool:2,bank:out", 64, 2, 81 + 5 + 16 + 10 * 37),
            ("conv:4@2,svd=2,detection=amplitude,bank:out", 64, 2, 4 * (4 + 2 + 4) + 1 + 10 * 197),
            ("conv:9@3,mesh,pool:2,bank:out", 64, 2, 81 + 10 * 82),
            ("conv:4@3,rings,pool:2,rings:out", 64, 2, 4 * 10 + 10 * 37),
            ("conv:4@3,rings,pool:2,rings:5-out,channels=6,finesse=80", 64, 3, 4 * 10 + 5 * 37 + 10 * 6),
            ("conv:4@3,pcm,pool:2,pcm:20-out", 64, 3, 4 * 10 + 20 * 37 + 10 * 21),
            ("conv:4@3,svd,pool:2,svd:10x36", 64, 2, 81 + 5 + 16 + 36 * 36 + 11 + 100),
            ("conv:4@3,svd,pool:2,svd:outxin/2,detection=amplitude", 64, 2, 81 + 5 + 16 + 5 * 18 * (4 + 2 + 4) + 1),
            ("conv:4@2,tiles=4,pool:7,bank:out", 64, 2, 16 + 10 * 5),
            (
                "conv:2@3,padding=1,split,conv:3@3,padding=1,conv:2@3,padding=1,add,bank:out",
                64,
                3,
                2 * 10 + 3 * 19 + 2 * 28 + 10 * 129,
            ),
        ] {
            let found = network(text, features).unwrap_or_else(|error| panic!("{text}: {error:#}"));
            let numbers = (found.input().modes, found.outputs(), found.layers().len(), found.controls());
            assert_eq!(numbers, (features, 10, layers, controls), "{text}");
        }
        let vgg = network("vgg-8", 3072).unwrap();
        assert_eq!((vgg.layers().len(), vgg.outputs()), (8, 10));
    }

    #[test]
    fn images_have_the_shape_of_the_data_and_not_one_guessed_from_their_features() {
        let image = |shape: &str| Some(shape.parse::<ImageShape>().unwrap());
        let of = |text: &str, shape: &str| {
            let (text, features) = (NetworkText::Short(text.to_string()), image(shape).unwrap().features());
            let layers = text.layers_for(features, image(shape), 10)?;
            Ok::<_, anyhow::Error>((build(&layers)?, text.explicit(features, image(shape), 10)))
        };
        for (shape, kernels) in [("1x4x9", "2x7"), ("4x8x8", "6x6"), ("1x6x5", "4x3"), ("3x6x5", "4x3")] {
            let (network, word) = of("conv:2@3,bank:out", shape).unwrap();
            assert_eq!(word, NetworkText::Short(format!("image:{shape},conv:2@3,bank:10")));
            let channels = image(shape).unwrap().channels;
            let [rows, columns] =
                kernels.split_once('x').map(|(a, b)| [a, b].map(|n| n.parse::<usize>().unwrap())).unwrap();
            assert_eq!(network.controls(), 2 * (9 * channels + 1) + 10 * (2 * rows * columns + 1), "{shape}");
        }
        assert!(of("image:4x9,conv:2@3,bank:out", "1x4x9").is_ok());
        let said = format!("{:#}", of("image:1x6x6,conv:2@3,bank:out", "1x4x9").unwrap_err());
        assert!(
            said.contains("image:1x6x6: the images that enter are 1x4x9") && said.contains("write image:1x4x9"),
            "{said}"
        );
    }

    /// `docs/convolutions.md` has these numbers.
    #[test]
    fn a_sample_of_lenet_5_takes_885_patches() {
        let whole = network("lenet-5", 784).unwrap().interface().whole;
        let [first, second] = [6 * 28 * 28, 16 * 10 * 10];
        let crossed = (whole.inputs, whole.injections, whole.reads, whole.frames, whole.rounds, whole.at_once);
        assert_eq!(crossed, (784 * 25, 100 * 150 + 400, first + second + 10, 885, 3, 25));
        assert_eq!((whole.passes, whole.flops), (885, 2 * first + 2 * second));
        assert_eq!((whole.inputs, whole.injections, whole.reads, whole.flops), (19_600, 15_400, 6314, 12_608));
        let currents = "conv:6@5x5,padding=2,pool:2,detectors,conv:16@5x5,pool:2,detectors,bank:120-84-out";
        let pooled = network(currents, 784).unwrap().interface().whole;
        assert_eq!((pooled.inputs, pooled.injections, pooled.reads, pooled.flops), (19_600, 15_400, 1586, 1576));
    }

    /// Before the normalisation and the rectifier of its convolution, in a branch as well.
    #[test]
    fn detectors_pool_before_anything_bends() {
        for (text, kinds) in [
            ("conv:4@3,pool:2,detectors,bank:out", "convolution pooling rectifier"),
            ("conv:4@3,norm,pool:2,detectors,bank:out", "convolution pooling normalization rectifier"),
        ] {
            let layers = NetworkText::Short(text.to_string()).layers(64, 10).unwrap();
            assert_eq!(layers[0].iter().map(StageText::kind).collect::<Vec<_>>().join(" "), kinds);
            let whole = network(text, 64).unwrap().interface().whole;
            assert_eq!(whole.reads, 4 * 3 * 3 + 10, "{text}");
        }
        let branch = "conv:2@3,padding=1,split,conv:8@3,padding=1,pool:1,detectors,conv:2@3,padding=1,add,bank:out";
        network(branch, 64).unwrap();
    }

    #[test]
    fn the_last_linear_stage_has_no_rectifier() {
        let words = |text: &str| network(text, 64).unwrap().identity().description;
        let last = words("conv:4@3,conv:10@1,pool:6,average");
        assert_eq!(last.matches("rectifier").count(), 1, "{last}");
        assert_eq!(words("conv:4@3,pool:2,bank:5-out").matches("rectifier").count(), 2);
    }

    #[test]
    fn what_does_not_fit_says_what_would() {
        for (text, parts) in [
            ("conv:16", &["CHANNELS@ROWSxCOLUMNS"][..]),
            ("conv:16@9x9", &["conv:16@9x9", "kernel = 9x9", "at most 8"]),
            ("conv:16@3x3,pool:7", &["pool:7", "6 rows", "at most 6"]),
            ("conv:16@3x3,padding=3", &["padding = 3", "at most 2"]),
            ("conv:16@3x3,strides=3", &["unknown option \"strides=3\"; known: stride=, padding=, norm"]),
            ("conv:4@3,channels=8", &["channels goes with another element"]),
            ("conv:4@3,mesh", &["as many outputs as inputs, 9 entries", "svd"]),
            ("conv:4@3,tiles=2", &["conv"]),
            ("conv:4@3,padding=1,split,conv:4@3,add", &["images of 4x8x8 were split, and 4x6x6 come"]),
            ("conv:4@3,padding=1,split,conv:4@3,padding=1,bank:out", &["bank:out", "not added yet"]),
            ("conv:4@3,padding=1,split,conv:4@3,padding=1", &["never added"]),
            ("conv:4@3,add,bank:out", &["nothing is split"]),
            ("conv:4@3,split,add,bank:out", &["nothing stands between"]),
            ("conv:4@3,split,split,add", &["put add in front"]),
            ("conv:4@3,norm=3", &["norm=3: must divide the 4 channels"]),
            ("conv:0@3", &["\"0\" is no size"]),
            ("conv:4@3,padding=-1", &["\"-1\" is no padding", "from 0"]),
            ("lenet-6", &["unknown network \"lenet-6\"; did you mean lenet-5?"]),
            ("conv:4@3,svd:10x35", &["svd:10x35", "4x6x6 has 144 features: write 10x144, or 10"]),
            ("conv:4@3,svd:10,finesse=3", &["known: detection="]),
            ("conv:4@3,pcm:10,levels=3", &["has no option \"levels=3\""]),
            ("pool:2,mean", &["unknown option \"mean\"; known: stride=, max, average, detectors"]),
            ("conv:4@3,pool:2,light", &["pool:2", "never there at once", "detectors"]),
            ("pool:2,detectors,bank:out", &["pool:2", "behind one"]),
            ("conv:4@3,pool:2,average,pool:2,detectors", &["pool:2", "behind one"]),
            ("conv:4@3,pool:2,detectors,stride=1", &["at least 2 apart"]),
            ("conv:4@3,bank:10,pool:2", &["bank:10: nothing follows it"]),
            ("conv:4@3,bnak:10", &["unknown part \"bnak\"; did you mean bank?"]),
            ("conv:4@3,image:8x8", &["in front of all else"]),
            ("image:8,conv:4@3", &["CHANNELSxHEIGHTxWIDTH"]),
            ("image:8x8", &["image:1x28x28,conv:16@5x5"]),
            ("pool:2", &["needs a convolution"]),
        ] {
            let said = format!("{:#}", network(text, 64).unwrap_err());
            assert!(parts.iter().all(|part| said.contains(part)), "{text}: {said}");
        }
        let said = format!("{:#}", network("conv:4@3", 65).unwrap_err());
        assert!(
            said.contains("65 features are no square image") && said.contains("image:CHANNELSxHEIGHTxWIDTH"),
            "{said}"
        );
    }

    #[test]
    fn a_word_is_recorded_with_its_shape_and_its_classes() {
        let explicit = |text: &str, features| match NetworkText::Short(text.to_string()).explicit(features, None, 10) {
            NetworkText::Short(text) => text,
            NetworkText::Long(_) => panic!("it stays a word"),
        };
        let word = explicit("conv:4@3,pool:2,bank:5-out", 64);
        assert_eq!(word, "image:1x8x8,conv:4@3,pool:2,bank:5-10");
        assert_eq!(explicit(&word, 64), word);
        assert_eq!(explicit("conv:4@3,svd:outxin/4", 64), "image:1x8x8,conv:4@3,svd:10xin/4");
        assert_eq!(explicit("conv:4@3,rings:5-out,channels=3", 64), "image:1x8x8,conv:4@3,rings:5-10,channels=3");
        assert!(explicit("lenet-5", 784).starts_with("image:1x28x28,conv:6@5x5,padding=2,pool:2,"));
        for (name, _) in NAMED {
            let features = if name == "vgg-8" { 3072 } else { 784 };
            let identity = |text: &str| network(text, features).unwrap().identity();
            assert_eq!(identity(name), identity(&explicit(name, features)));
        }
    }
}
