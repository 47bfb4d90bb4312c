//! The way of light through the chip's meshes.

use super::chip_pictures::MOST_CELLS;
use super::mesh_grid::MeshGrid;
use crate::export::heat_map::{Colours, HeatMap};
use crate::trained::TrainedChip;
use anyhow::Result;
use at_core::network::Stage;
use at_core::reference::Reference;

/// Powers below this part of the input's are as dark as no light (dB).
const DARKEST_DB: f64 = -30.0;

/// Per mesh a map of the power on every waveguide, for test sample `sample` on the chip with `controls`; none for meshes that
/// are too large to draw.
pub fn maps(trained: &TrainedChip, controls: &[f64], sample: usize) -> Result<Vec<Option<HeatMap>>> {
    let fields: Vec<f64> = trained.run.signals(&[sample as u32])?.into_iter().map(f64::from).collect();
    let reference = Reference {
        network: &trained.run.network,
        fabrication: &trained.fabrication,
        first_controls: &trained.run.initial,
        drift: &[],
    };
    let stages: Vec<&Stage> = trained.run.network.stages().collect();
    let meshes = (0..stages.len()).filter_map(|index| {
        let Stage::Mesh(mesh) = stages[index] else { return None };
        Some((mesh, stages.get(index + 1).copied()))
    });
    let powers = reference.mesh_powers(controls, &fields)?;
    let maps = meshes.zip(powers).enumerate().map(|(index, ((mesh, next), powers))| {
        let (modes, columns) = (mesh.modes(), mesh.columns().len() + 1);
        let total: f64 = powers[..modes].iter().sum();
        let grid = MeshGrid::new(mesh, columns, next);
        if grid.rows().max(grid.columns()) > MOST_CELLS + 1 {
            return None;
        }
        let mut values = vec![None; grid.rows() * grid.columns()];
        for (k, power) in powers.iter().enumerate() {
            values[grid.cell(k % modes, k / modes)] = Some(10.0 * (power / total).max(1e-99).log10());
        }
        let [x_label, y_label] = grid.labels("behind column (0: at the input)");
        Some(HeatMap {
            title: format!("Optical power in mesh {}, test sample {sample}", index + 1),
            x_label,
            y_label,
            scale_label: "power / all that enters (dB)".into(),
            rows: grid.rows(),
            columns: grid.columns(),
            values,
            colours: Colours::Sequential { low: DARKEST_DB, high: 0.0 },
            numbers: false,
            names: None,
            block: 1,
        })
    });
    Ok(maps.collect())
}
