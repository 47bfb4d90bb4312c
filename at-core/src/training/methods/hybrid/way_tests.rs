use super::*;
use crate::image_shape::ImageShape;
use crate::training::tests::meshes_inside::patches_through_meshes;

/// What a step is, in words.
fn told(step: &Planned) -> String {
    match step {
        Step::Mesh(mesh) => {
            assert_eq!(mesh.index, mesh.crossing);
            format!("mesh {} at {}: {} reals of {} patches", mesh.index, mesh.controls.start, mesh.width, mesh.patches)
        }
        Step::Electronics { part, layer } => format!("{part}.{layer}"),
        Step::Cut(patches) => format!("cut {}", patches.positions()),
        Step::Join([patches, outputs]) => format!("join {patches} of {outputs}"),
        Step::Split { share, add } => format!("split by {share} until {add}"),
        Step::Add { share, split } => format!("add by {share} to {split}"),
    }
}

#[test]
fn convolutions_and_branches_are_taken_apart_in_their_order() {
    let pool = Stage::pooling(ImageShape::new(2, 4, 4), 2, Pool::Detectors);
    let network = patches_through_meshes(vec![pool, Stage::rectifier(8, 0.0)]);
    let Way { steps, widths, parts } = Way::of(&network).unwrap();
    let told: Vec<String> = steps.iter().map(told).collect();
    let dense = [
        vec![
            "cut 16",
            "0.0",
            "mesh 0 at 0: 18 reals of 16 patches",
            "0.2",
            "mesh 1 at 84: 4 reals of 16 patches",
            "0.4",
        ],
        vec!["join 16 of 2", "1.0", "1.1", "split by 1 until 18", "cut 4", "2.0"],
        vec!["mesh 2 at 88: 36 reals of 4 patches", "2.2", "mesh 3 at 143: 36 reals of 4 patches", "2.4", "2.5"],
        vec!["join 4 of 2", "add by 1 to 9", "3.0", "3.1", "mesh 4 at 179: 16 reals of 1 patches", "3.3"],
        vec!["mesh 5 at 247: 6 reals of 1 patches", "3.5"],
    ];
    assert_eq!(told, dense.concat());
    let patches = [16 * 9, 16 * 18, 16 * 18, 16 * 4, 16 * 4];
    assert_eq!(widths[..7], [&[16][..], &patches, &[32]].concat());
    assert_eq!((widths[7], widths[18], widths[25]), (32, 8, 3));
    let told: Vec<_> =
        parts.iter().map(|part| (part.controls.clone(), part.electronic.clone(), part.patches)).collect();
    let (first, last) = (81..84, 64..68);
    assert_eq!(told[0], (0..88, vec![first], 16));
    assert_eq!((told[1].clone(), told[3].clone()), ((88..88, vec![], 1), (179..256, vec![last], 1)));
    assert_eq!(parts.last().unwrap().controls.end, network.controls());
}
