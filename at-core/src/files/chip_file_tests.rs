//! Chip files: everything comes back, and files of other networks are told apart.

use super::*;
use crate::files::phase_file::write_errors;
use crate::imperfections::{Control, Imperfections};
use crate::network::{Detection, singular_value_stages};
use crate::optics::{Activation, Layout, MeshErrors};

fn network() -> Network {
    let [v, sigma, u] = singular_value_stages(3, 4, Layout::Rectangular).unwrap();
    let detection = Stage::detection(4, Detection::Intensity);
    let electronic = vec![Stage::weight_bank(4, 3), Stage::matrix(3, 2)];
    Network::new(vec![vec![v, sigma, u, detection], electronic]).unwrap()
}

fn chip() -> Fabrication {
    let imperfections = Imperfections {
        splitter_angle: 0.1,
        phase: 0.2,
        loss_db: 0.3,
        loss_spread_db: 0.1,
        parameter_spread: 0.4,
        response_slope: 0.2,
        update_error: 0.3,
        perturbation: 0.2,
        control: Control { control_range: 7.0, control_bits: 9, heater_spread: 0.1, crosstalk: 0.02, ..Control::NONE },
        drift: Drift { drift_step: 0.1, drift_common: 0.2, drift_return: 0.3 },
        noise: Noise { laser_noise: 1.0 / 3.0, adc_bits: 7, ..Noise::NONE },
        ..Imperfections::NONE
    };
    imperfections.fabricate(&network(), u64::MAX).unwrap()
}

/// Meshes of `modes` with activations between them.
fn meshes(count: usize, mesh: &Mesh) -> Network {
    let modes = mesh.modes();
    let behind = |last| match last {
        true => Stage::detection(modes, Detection::Intensity),
        false => Stage::activation(modes, Activation::ELECTRO_OPTIC),
    };
    Network::new((1..=count).map(|k| vec![Stage::Mesh(mesh.clone()), behind(k == count)]).collect()).unwrap()
}

fn drawn(network: &Network) -> Fabrication {
    Imperfections { phase: 0.1, ..Imperfections::NONE }.fabricate(network, 1).unwrap()
}

/// Writes a file without asking whether it is a chip.
fn write_unchecked(path: &Path, network: Option<&Network>, chip: &Fabrication) {
    let header = Header::new(chip, network.map(Network::identity));
    write_into(std::fs::File::create(path).unwrap(), &header, chip).unwrap();
}

fn read(path: &Path, network: &Network) -> Result<KeptChip> {
    read_chip(path, network, None, Owner::ThisNetwork)
}

#[test]
fn everything_of_a_chip_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chip.npz");
    let amplified = Fabrication { amplified: true, ..chip() };
    let chips = [chip(), amplified, Imperfections::NONE.fabricate(&network(), 3).unwrap(), Fabrication::ideal()];
    for chip in &chips {
        write_chip(&path, &network(), chip).unwrap();
        let back = read(&path, &network()).unwrap();
        assert_eq!(back, KeptChip { chip: chip.clone(), notes: Vec::new() });
        assert_eq!(chip_checksum(&back.chip), chip_checksum(chip));
        let alike = chips.iter().filter(|other| chip_checksum(other) == chip_checksum(chip)).count();
        assert_eq!(alike, 1);
    }
}

#[test]
fn a_mesh_that_gains_light_is_refused_unless_it_has_amplifiers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chip.npz");
    let mut chip = chip();
    let loss_db = chip.stages[0].get_mut("loss_db");
    loss_db.fill(-0.01);
    assert!(write_chip(&path, &network(), &chip).is_err() && !path.exists());
    write_unchecked(&path, Some(&network()), &chip);
    let error = read(&path, &network()).unwrap_err().to_string();
    assert!(error.contains("loss-db") && error.contains("creates no power"), "{error}");
    let chip = Fabrication { amplified: true, ..chip };
    write_chip(&path, &network(), &chip).unwrap();
    assert_eq!(read(&path, &network()).unwrap().chip, chip);
}

#[test]
fn a_chip_of_another_network_is_refused_and_both_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chip.npz");
    let (mesh, other) = (Mesh::rectangular(4).unwrap(), Mesh::triangular(4).unwrap());
    let deeper = Mesh::truncated(4, 5).unwrap(); // as many controls as the triangular one is deep
    let bank = |outputs| Network::new(vec![vec![Stage::weight_bank(4, outputs)]]).unwrap();
    let matrix = Network::new(vec![vec![Stage::matrix(4, 4)]]).unwrap();
    let pairs = [
        (meshes(1, &mesh), meshes(3, &mesh)),
        (meshes(3, &mesh), meshes(1, &mesh)),
        (meshes(2, &mesh), meshes(2, &other)),
        (meshes(2, &deeper), meshes(2, &other)),
        (meshes(1, &mesh.on_dies(2).unwrap()), meshes(1, &Mesh::truncated(8, 4).unwrap())),
        (bank(4), matrix.clone()),
        (matrix, bank(4)),
        (bank(4), bank(3)),
        (network(), bank(4)),
    ];
    for (theirs, ours) in pairs {
        // errors of whatever kind, and none at all
        for chip in [drawn(&theirs), Fabrication::ideal()] {
            write_chip(&path, &theirs, &chip).unwrap();
            let error = read(&path, &ours).unwrap_err().to_string();
            let named = [theirs.identity(), ours.identity()].iter().all(|own| error.contains(&own.to_string()));
            assert!(named && error.contains("chip.npz") && error.contains("`chip-of-other-network`"), "{error}");
        }
        // a file that does not name its network is told by its arrays
        write_unchecked(&path, None, &drawn(&theirs));
        let error = read(&path, &ours).unwrap_err().to_string();
        assert!(error.contains(&ours.identity().to_string()), "{error}");
    }
}

#[test]
fn what_fits_of_another_networks_chip_is_taken_where_that_is_asked_for_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chip.npz");
    let mesh = Mesh::rectangular(4).unwrap();
    let (one, three) = (meshes(1, &mesh), meshes(3, &mesh));
    write_chip(&path, &one, &drawn(&one)).unwrap();
    let KeptChip { chip, notes } = read_chip(&path, &three, None, Owner::AnyNetwork).unwrap();
    assert_eq!(chip.stages[0], drawn(&one).stages[0]);
    assert!(chip.stages[1..].iter().all(StageErrors::is_none));
    let (first, other) = (one.identity().to_string(), three.identity().to_string());
    assert!(notes.len() == 1 && notes[0].contains(&first) && notes[0].contains(&other), "{notes:?}");
    // what does not fit is refused all the same
    write_chip(&path, &three, &drawn(&three)).unwrap();
    assert!(read_chip(&path, &one, None, Owner::AnyNetwork).unwrap_err().to_string().contains("not known"));
    let wide = meshes(1, &Mesh::rectangular(5).unwrap());
    write_chip(&path, &wide, &drawn(&wide)).unwrap();
    assert!(read_chip(&path, &one, None, Owner::AnyNetwork).is_err());
}

#[test]
fn a_file_of_an_earlier_version_is_read_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chip.npz");
    for chip in [chip(), Fabrication::ideal()] {
        write_unchecked(&path, None, &chip);
        let back = read(&path, &network()).unwrap();
        assert_eq!(back.chip, chip);
        assert!(back.notes.len() == 1 && back.notes[0].contains("does not name its network"), "{:?}", back.notes);
    }
    let header = Header { format: 3, ..Header::new(&chip(), None) };
    write_into(std::fs::File::create(&path).unwrap(), &header, &chip()).unwrap();
    assert!(read(&path, &network()).unwrap_err().to_string().contains("it has format 3, this program reads 1 and 2"));
    let header = Header { format: 2, ..Header::new(&chip(), None) };
    write_into(std::fs::File::create(&path).unwrap(), &header, &chip()).unwrap();
    assert!(read(&path, &network()).unwrap_err().to_string().contains("names its network, and this does not"));
}

#[test]
fn an_unknown_field_is_named_and_none_is_taken_for_a_setting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chip.npz");
    for (known, unknown) in
        [("\"seed\"", "\"sead\""), ("\"amplified\"", "\"amplifier\""), ("\"quartic\"", "\"network-2\"")]
    {
        let text = Header::new(&chip(), Some(network().identity())).to_json().replace(known, unknown);
        let file = std::fs::File::create(&path).unwrap();
        write_npz(file, |file| file.add_text(HEADER, &text)).unwrap();
        let error = read(&path, &network()).unwrap_err().to_string();
        assert!(error.contains("array chip") && error.contains(&unknown.replace('"', "'")), "{error}");
        assert!(!error.contains('`'), "as if a flag would mend it: {error}");
    }
}

#[test]
fn files_of_mesh_errors_are_chips_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("errors.npz");
    let mesh = Mesh::rectangular(4).unwrap();
    let network = meshes(1, &mesh);
    let errors = MeshErrors { theta: vec![0.25; mesh.mzis()], ..MeshErrors::none(&mesh) };
    write_errors(&path, Convention::Native, &[(&mesh, &errors)]).unwrap();
    let chip = read(&path, &network).unwrap().chip;
    let [phases] = chip.stages[0].get(["phases"]).unwrap();
    assert_eq!(phases[..mesh.mzis()], errors.theta);
    let error = read(&path, &meshes(3, &mesh)).unwrap_err().to_string();
    assert!(error.contains("errors of 1 meshes") && error.contains("3 x (mesh:4)"), "{error}");
}
