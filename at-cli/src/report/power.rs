//! The way of light through the chip's meshes.

use super::chip_pictures::MOST_CELLS;
use super::trained::Trained;
use crate::export::heat_map::{Colours, HeatMap};
use anyhow::Result;
use at_core::network::Stage;
use at_core::reference::Reference;

/// Powers below this part of the input's are as dark as no light (dB).
const DARKEST_DB: f64 = -30.0;

/// Per mesh a map of the power on every waveguide, for test sample `sample` on the chip with `controls`; none for meshes that
/// are too large to draw.
pub fn maps(trained: &Trained, controls: &[f64], sample: usize) -> Result<Vec<Option<HeatMap>>> {
    let width = trained.network.input().width();
    let fields: Vec<f64> = trained.signals()?[sample * width..][..width].iter().map(|&x| f64::from(x)).collect();
    let reference = Reference {
        network: &trained.network,
        fabrication: &trained.fabrication,
        first_controls: &trained.initial,
        drift: &[],
    };
    let meshes =
        trained.network.stages().filter_map(|stage| if let Stage::Mesh(mesh) = stage { Some(mesh) } else { None });
    let powers = reference.mesh_powers(controls, &fields)?;
    let maps = meshes.zip(powers).enumerate().map(|(index, (mesh, powers))| {
        let (modes, columns) = (mesh.modes(), mesh.columns().len() + 1);
        let total: f64 = powers[..modes].iter().sum();
        let db = |k: usize| Some(10.0 * (powers[k % columns * modes + k / columns] / total).max(1e-99).log10());
        (modes.max(columns) <= MOST_CELLS + 1).then(|| HeatMap {
            title: format!("Optical power in mesh {}, test sample {sample}", index + 1),
            x_label: "behind column (0: at the input)".into(),
            y_label: "mode".into(),
            scale_label: "power / all that enters (dB)".into(),
            rows: modes,
            columns,
            values: (0..modes * columns).map(db).collect(),
            colours: Colours::Sequential { low: DARKEST_DB, high: 0.0 },
            numbers: false,
        })
    });
    Ok(maps.collect())
}
