//! The parameter blocks of a mesh's kernels.

use crate::layout::parameters;

parameters! {
    /// Which MZIs get their coefficients.
    MeshCoefficients {
        mzis: u32,
        first: u32,
        count: u32,
        outputs: u32,
        offset: u32,
        has_errors: u32,
        coupler_stride: u32,
        transmission: f32,
    }
    /// Which MZIs take on their part of an estimate.
    MeshEstimate { mzis: u32, first: u32, count: u32, offset: u32 }
    /// Waveguides whose losses are taken on.
    MeshLosses { count: u32, offset: u32 }
    /// Adjoints that are turned.
    MeshTurnAdjoint { len: u32 }
    /// Which columns the phases of waveguides are carried through.
    Waveguides {
        modes: u32,
        dies: u32,
        mzis: u32,
        columns: u32,
        first_column: u32,
        last_column: u32,
        offset: u32,
        controls: u32,
        ends: u32,
    }
    /// Which columns are crossed, and by which workgroups.
    MeshColumns {
        modes: u32,
        batch: u32,
        first_column: u32,
        last_column: u32,
        windows: u32,
        tile: u32,
        halo: u32,
        samples: u32,
        pair_lanes: u32,
        unbalanced: u32,
        first_mzi: u32,
        chunk_mzis: u32,
        coupler_stride: u32,
        finish: u32,
        base_mzi: u32,
        base_imbalance: u32,
        mzis: u32,
        transmission: f32,
        dies: u32,
        gathered: u32,
    }
    /// Which columns are crossed in the registers of subgroups.
    MeshLanes {
        modes: u32,
        batch: u32,
        first_column: u32,
        last_column: u32,
        unbalanced: u32,
        first_mzi: u32,
        chunk_mzis: u32,
        coupler_stride: u32,
        finish: u32,
        base_mzi: u32,
        base_imbalance: u32,
        dies: u32,
    }
    /// The start of a mesh's way back.
    MeshEnter { len: u32, modes: u32, rebuild: f32, stride: u32, second: u32 }
    /// The end of a mesh's way back.
    MeshLeave { len: u32, stride: u32, second: u32 }
    /// Which blocks of a mesh are treated.
    MeshBlocks {
        modes: u32,
        columns: u32,
        first_level: i32,
        per_level: u32,
        unbalanced: u32,
        inverse: u32,
        base_mzi: u32,
        base_imbalance: u32,
        coupler_stride: u32,
        chunks: u32,
        mzis: u32,
        offset: u32,
        dies: u32,
    }
    /// Samples times complex matrices.
    BlockProduct {
        rows: u32,
        split: u32,
        modes: u32,
        inner: u32,
        in_first: i32,
        in_step: i32,
        out_first: i32,
        windows: u32,
        matrix_step: u32,
        matrix_out_step: u32,
        stride: u32,
        finish: u32,
    }
    /// Products of adjoints and fields over a batch.
    BlockGram { samples: u32, modes: u32, chunks: u32, chunk: u32, first: i32, windows: u32, whole: u32 }
    /// The identity as fields.
    Identity { size: u32, stride: u32 }
    /// Where the sums of phase gradients go.
    GradientReduce {
        rows: u32,
        chunk_mzis: u32,
        first_mzi: u32,
        mzis: u32,
        offset: u32,
        scale: f32,
        stride: u32,
        start: u32,
    }
}
