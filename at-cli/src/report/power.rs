//! The way of light through the chip: along its meshes, and on its planes.

use super::chip_pictures::MOST_CELLS;
use super::mesh_grid::MeshGrid;
use crate::export::heat_map::{Colours, HeatMap};
use crate::trained::TrainedChip;
use anyhow::Result;
use at_core::network::Stage;
use at_core::optics::Mesh;
use at_core::reference::Reference;
use at_core::stage::Regions;

/// Powers below this part of the input's, or of the brightest pixel's, are as dark as no light (dB).
const DARKEST_DB: f64 = -30.0;

/// Light in a stage.
pub struct Light {
    /// The map.
    pub map: HeatMap,
    /// What it shows.
    pub caption: String,
}

/// Of every stage that shows light, a map of it for test sample `sample` on the chip with `controls`; none of those that are too large to draw.
pub fn maps(trained: &TrainedChip, controls: &[f64], sample: usize) -> Result<Vec<Option<Light>>> {
    let fields: Vec<f64> = trained.run.signals(&[sample as u32])?.into_iter().map(f64::from).collect();
    let reference = Reference {
        network: &trained.run.network,
        fabrication: &trained.fabrication,
        first_controls: &trained.run.initial,
        drift: &[],
    };
    let stages: Vec<&Stage> = trained.run.network.stages().collect();
    let powers = reference.powers(controls, &fields)?;
    let on_plane = |(index, stage): (usize, &&Stage)| {
        let plane = matches!(stage, Stage::Mask(_) | Stage::Regions(_));
        powers[index].as_deref().filter(|_| plane).map(|powers| powers.iter().sum::<f64>())
    };
    let entered = stages.iter().enumerate().find_map(on_plane).unwrap_or(0.0);
    let (mut meshes, mut planes) = (0, 0);
    let maps = powers.iter().enumerate().map(|(index, powers)| {
        let powers = powers.as_deref()?;
        if let Stage::Mesh(mesh) = stages[index] {
            meshes += 1;
            let title = format!("Optical power in mesh {meshes}, test sample {sample}");
            let map = along_mesh(mesh, stages.get(index + 1).copied(), powers, title)?;
            let caption =
                "Power on every waveguide on its way through the mesh, relative to all light that enters the mesh.";
            return Some(Light { map, caption: caption.into() });
        }
        if let Stage::Mask(mask) = stages[index] {
            planes += 1;
            let title = format!("Light on plane {planes}, test sample {sample}");
            let plane = Plane { rows: mask.rows, columns: mask.columns, powers, entered };
            return plane.light(title, "in front of the mask", None);
        }
        let Stage::Regions(own) = stages[index] else { return None };
        let title = format!("Light on the detectors, test sample {sample}");
        Plane { rows: own.rows, columns: own.columns, powers, entered }.light(
            title,
            "on the plane of detectors",
            Some(own),
        )
    });
    Ok(maps.collect())
}

/// The power on every waveguide of a mesh, `[columns + 1, mode]`.
fn along_mesh(mesh: &Mesh, next: Option<&Stage>, powers: &[f64], title: String) -> Option<HeatMap> {
    let (modes, columns) = (mesh.modes(), mesh.columns().len() + 1);
    let total: f64 = powers[..modes].iter().sum();
    let grid = MeshGrid::new(mesh, columns, next);
    if grid.rows().max(grid.columns()) > MOST_CELLS + 1 {
        return None;
    }
    let mut values = vec![None; grid.rows() * grid.columns()];
    for (k, power) in powers.iter().enumerate() {
        values[grid.cell(k % modes, k / modes)] = Some(decibels(power / total));
    }
    let [x_label, y_label] = grid.labels("behind column (0: at the input)");
    let scale_label = "power / all that enters (dB)".into();
    Some(of_light(title, [x_label, y_label], scale_label, [grid.rows(), grid.columns()], values))
}

/// The power on every pixel of a plane.
struct Plane<'a> {
    rows: usize,
    columns: usize,
    powers: &'a [f64],
    /// All power on the first plane.
    entered: f64,
}

impl Plane<'_> {
    /// What arrives `place`, with a frame around every detector of `regions`.
    fn light(&self, title: String, place: &str, regions: Option<&Regions>) -> Option<Light> {
        if self.rows.max(self.columns) > 4 * MOST_CELLS {
            return None;
        }
        let brightest = self.powers.iter().copied().fold(0.0, f64::max);
        let arrives = 100.0 * self.powers.iter().sum::<f64>() / self.entered;
        let values = self.powers.iter().map(|power| Some(decibels(power / brightest))).collect();
        let labels = ["x, pixel".into(), "y, pixel".into()];
        let scale_label = "power / brightest pixel (dB)".into();
        let mut map = of_light(title, labels, scale_label, [self.rows, self.columns], values);
        let mut caption =
            format!("Power on every pixel {place}: {arrives:.1} % of the light that was on the first plane.");
        if let Some(own) = regions {
            let side = own.side as f64;
            let frame = |[row, column]: [usize; 2]| {
                let [x, y] = [column, row].map(|side| side as f64);
                [x, y, x + side, y + side]
            };
            map.frames = own.corners().into_iter().map(frame).collect();
            let within: f64 = own.pixels().iter().flatten().map(|&pixel| self.powers[pixel]).sum();
            let share = 100.0 * within / self.entered;
            caption += &format!(
                " Frames are the detectors, row by row from the first output on; {share:.1} % meets one of them."
            );
        }
        Some(Light { map, caption })
    }
}

fn decibels(share: f64) -> f64 {
    10.0 * share.max(1e-99).log10()
}

fn of_light(
    title: String,
    [x_label, y_label]: [String; 2],
    scale_label: String,
    [rows, columns]: [usize; 2],
    values: Vec<Option<f64>>,
) -> HeatMap {
    HeatMap {
        title,
        x_label,
        y_label,
        scale_label,
        rows,
        columns,
        values,
        colours: Colours::Sequential { low: DARKEST_DB, high: 0.0 },
        numbers: false,
        names: None,
        block: 1,
        frames: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_is_drawn_relative_to_its_brightest_pixel_with_its_detectors_framed() {
        let Stage::Regions(own) = Stage::regions(2, 4, 2, 1) else { unreachable!() };
        let powers = [1.0, 0.0, 0.1, 0.0, 0.5, 0.0, 0.0, 0.4];
        let plane = Plane { rows: 2, columns: 4, powers: &powers, entered: 4.0 };
        let light = plane.light("light".into(), "here", Some(&own)).unwrap();
        assert_eq!(light.map.values[0], Some(0.0));
        assert!((light.map.values[2].unwrap() + 10.0).abs() < 1e-12);
        let corners: Vec<[f64; 4]> = own
            .corners()
            .into_iter()
            .map(|[row, column]| [row, column].map(|side| side as f64))
            .map(|[row, column]| [column, row, column + 1.0, row + 1.0])
            .collect();
        assert_eq!(light.map.frames, corners);
        assert!(light.caption.contains("50.0 %"), "{}", light.caption);
        let within: f64 = own.pixels().iter().flatten().map(|&pixel| powers[pixel]).sum();
        assert!(light.caption.contains(&format!("{:.1} % meets", 25.0 * within)), "{}", light.caption);
        assert!(plane.light("light".into(), "here", None).unwrap().map.frames.is_empty());
    }
}
