//! The parameter blocks of the kernels as Rust sees them. A test compares every member's offset with the WGSL text.

/// A parameter block: plain bytes with a WGSL struct of the same name and members.
pub(crate) trait Parameters: bytemuck::Pod {
    /// Name of the WGSL struct.
    const NAME: &'static str;
    /// Members and their offsets.
    #[cfg(test)]
    fn members() -> Vec<(&'static str, usize)>;
}

macro_rules! parameters {
    ($($(#[$doc:meta])* $name:ident { $($member:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[repr(C)]
            #[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
            pub(crate) struct $name { $(pub $member: $kind),* }

            impl Parameters for $name {
                const NAME: &'static str = stringify!($name);
                #[cfg(test)]
                fn members() -> Vec<(&'static str, usize)> {
                    vec![$((stringify!($member), std::mem::offset_of!($name, $member))),*]
                }
            }
        )*

        /// Name, members and size of every block.
        #[cfg(test)]
        pub(crate) fn all() -> Vec<(&'static str, Vec<(&'static str, usize)>, usize)> {
            vec![$(($name::NAME, $name::members(), std::mem::size_of::<$name>())),*]
        }
    };
}

parameters! {
    /// How far the canary counts.
    Canary { iterations: u32 }
    /// A number of elements.
    Length { len: u32 }
    /// `y ← a x + b y`.
    Combine { len: u32, a: f32, b: f32 }
    /// Rows of a data set.
    Gather { count: u32, width: u32, start: u32, first: u32, rows: u32 }
    /// A loss of [`at_core::training::Loss`].
    Loss {
        batch: u32,
        outputs: u32,
        classes: u32,
        comparison: u32,
        normalization: u32,
        gain: f32,
        weight: f32,
        wants_error: u32,
    }
    /// The sums over a batch.
    Tally { batch: u32, groups: u32 }
    /// One step of Adam with the bias corrections folded in.
    Adam {
        len: u32,
        rate: f32,
        floor: f32,
        keep_first: f32,
        take_first: f32,
        keep_second: f32,
        take_second: f32,
    }
    /// An optical nonlinearity.
    Activation { len: u32, kind: u32, first: f32, second: f32, third: f32, fourth: f32 }
    /// A photodetection.
    Detection { len: u32, kind: u32, cosine: f32, sine: f32 }
    /// A rectifier.
    Rectifier { len: u32, threshold: f32 }
    /// Attenuators and where their controls lie.
    Attenuators { count: u32, inputs: u32, outputs: u32, batch: u32, offset: u32 }
    /// Shifters on their way from controls to heat.
    Follow { len: u32, quartic: f32, levels: f32 }
    /// What heat becomes.
    Settle { len: u32, has_neighbours: u32, has_drift: u32 }
    /// Which controls' gradients are carried back.
    CarryBack { first: u32, len: u32, has_neighbours: u32 }
    /// One step of a drift.
    Drift { len: u32, key_low: u32, key_high: u32, time: u32, site: u32, keep: f32, own: f32, shared_step: f32 }
    /// The noise of a signal.
    Disturb {
        len: u32,
        modes: u32,
        is_complex: u32,
        per_mode: u32,
        key_low: u32,
        key_high: u32,
        pass_number: u32,
        site: u32,
        gain: f32,
        sample_gain: f32,
        relative: f32,
        absolute: f32,
        shot: f32,
        low: f32,
        step: f32,
        top: f32,
    }
    /// Weights and where their controls lie.
    Weights { len: u32, offset: u32, has_errors: u32 }
    /// Blocks of modes and their copies.
    Division { modes: u32, copies: u32, len: u32, share: f32 }
    /// A product of strided matrices.
    MatrixProduct {
        rows: u32,
        columns: u32,
        first: u32,
        last: u32,
        a_row: u32,
        a_column: u32,
        b_row: u32,
        b_column: u32,
        c_offset: u32,
        extra_offset: u32,
        afterwards: u32,
        add: u32,
    }
    /// Sums over the rows of a matrix.
    ColumnSum {
        rows: u32,
        columns: u32,
        stride: u32,
        target_offset: u32,
        factor_offset: u32,
        has_factor: u32,
        scale: f32,
        spread: u32,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use at_shaders::Kernel;

    #[test]
    fn parameter_blocks_have_the_offsets_of_their_twins() {
        let blocks = all();
        for &kernel in Kernel::ALL {
            let module = naga::front::wgsl::parse_str(kernel.source())
                .unwrap_or_else(|error| panic!("{}: {}", kernel.name(), error.emit_to_string(kernel.source())));
            let (_, uniform) = module
                .global_variables
                .iter()
                .find(|(_, variable)| variable.space == naga::AddressSpace::Uniform)
                .unwrap_or_else(|| panic!("{} has no parameters", kernel.name()));
            let block = &module.types[uniform.ty];
            assert_eq!(block.name.as_deref(), Some(kernel.parameters()), "{}", kernel.name());
            let naga::TypeInner::Struct { members, span } = &block.inner else {
                panic!("{} is no struct", kernel.name())
            };
            let found: Vec<_> =
                members.iter().map(|member| (member.name.as_deref().unwrap_or(""), member.offset as usize)).collect();
            let (_, expected, size) =
                blocks.iter().find(|(name, ..)| *name == kernel.parameters()).expect("every block has a twin");
            assert_eq!(&found, expected, "{}", kernel.name());
            assert_eq!(*span as usize, *size, "{}", kernel.name());
        }
    }
}
