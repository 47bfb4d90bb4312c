//! Memory of one mesh that grows with the batch.

use crate::case::{Case, Measured};
use crate::mesh::one_mesh;

/// What the batch takes beyond one sample, forward with its gradient.
pub fn memory(case: &Case, modes: usize, depth: usize) -> Measured {
    let (gpu, batch) = (case.gpu, case.batch);
    let case = Case { seconds: 0.0, ..*case };
    let (_, one) = one_mesh(&case, gpu, modes, depth, 1)?;
    let (_, all) = one_mesh(&case, gpu, modes, depth, batch)?;
    let bytes = |bytes: Option<u64>| bytes.map_or("null".to_string(), |bytes| bytes.to_string());
    let beyond = one.zip(all).map(|(one, all)| all.saturating_sub(one));
    Ok(format!(r#""batch": {batch}, "allocated_bytes": {}, "beyond_one_sample": {}"#, bytes(all), bytes(beyond)))
}
