//! The meshes' phases: an npz that `asyt mesh` and `asyt evaluate` read, and a table.

use super::{Learned, Written, heading, table};
use anyhow::Result;
use at_core::deployment::programmed;
use at_core::files::phase_file::write_phases;
use at_core::optics::Convention;
use std::path::Path;

/// `phases.npz` and `phases.csv`.
pub fn write(
    learned: &Learned,
    convention: Convention,
    folder: &Path,
    written: &mut Vec<Written>,
    missing: &mut Vec<String>,
) -> Result<()> {
    let meshes = programmed(&learned.run.network, learned.controls)?;
    if meshes.is_empty() {
        missing.push("phases: the network has no mesh".into());
        return Ok(());
    }
    write_phases(&folder.join("phases.npz"), convention, &meshes)?;
    written.push(Written {
        file: "phases.npz",
        what: format!(
            "meshK.theta, meshK.phi [column, pair] and meshK.gamma [mode] of {} meshes: radians, convention {}",
            meshes.len(),
            convention.name()
        ),
    });
    let mut rows = Vec::new();
    for (number, own) in meshes.iter().enumerate() {
        let phases = convention.from_native(&own.mesh, &own.controls)?;
        let (theta, phi, gamma) = own.mesh.split(&phases);
        for (word, values) in [("theta", theta), ("phi", phi)] {
            rows.extend(own.mesh.positions().zip(values).map(|((column, [mode, _]), value)| {
                vec![number.to_string(), word.into(), column.to_string(), mode.to_string(), value.to_string()]
            }));
        }
        rows.extend(gamma.iter().enumerate().map(|(mode, value)| {
            vec![number.to_string(), "gamma".into(), String::new(), mode.to_string(), value.to_string()]
        }));
    }
    table(&folder.join("phases.csv"), &heading(["mesh", "phase", "column", "mode", "radians"]), rows)?;
    written.push(Written {
        file: "phases.csv",
        what: "the same as a table; theta and phi by the upper of the two modes that they act on".into(),
    });
    Ok(())
}
