//! The parameter blocks of kernels as Rust sees them: [`parameters!`] makes blocks and the test that compares every member's offset with
//! the WGSL of all kernels that have the block. Blocks of one kind of stage stand in its file, the others here.

/// A parameter block: plain bytes with a WGSL struct of the same name and members.
pub(crate) trait Parameters: bytemuck::Pod {
    /// Name of the WGSL struct.
    const NAME: &'static str;
    /// Members and their offsets.
    #[cfg(test)]
    fn members() -> Vec<(&'static str, usize)>;
}

/// Blocks `Name { member: kind, … }`, and a test that they are those of the kernels. Once in a file.
macro_rules! parameters {
    ($($(#[$doc:meta])* $name:ident { $($member:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[repr(C)]
            #[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
            pub(crate) struct $name { $(pub $member: $kind),* }

            impl $crate::layout::Parameters for $name {
                const NAME: &'static str = stringify!($name);
                #[cfg(test)]
                fn members() -> Vec<(&'static str, usize)> {
                    vec![$((stringify!($member), std::mem::offset_of!($name, $member))),*]
                }
            }
        )*

        #[test]
        fn parameter_blocks_have_the_offsets_of_their_twins() {
            $($crate::layout::tests::is_in_its_kernels::<$name>();)*
        }
    };
}
pub(crate) use parameters;

parameters! {
    /// How far the canary counts.
    Canary { iterations: u32 }
    /// A number of elements.
    Length { len: u32 }
    /// `y ← a x + b y`.
    Combine { len: u32, a: f32, b: f32 }
    /// Columns of a matrix into another.
    CopyColumns { rows: u32, count: u32, from_width: u32, from_first: u32, to_width: u32, to_first: u32 }
    /// Rows of a data set.
    Gather { count: u32, width: u32, start: u32, first: u32, rows: u32 }
    /// A loss of [`at_core::engine::Loss`].
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
        first_sample: u32,
    }
    /// Weights and where their controls lie.
    Weights { len: u32, offset: u32, has_errors: u32 }
    /// Blocks of modes and their copies.
    Division { modes: u32, copies: u32, blocks: u32, first: u32, part: u32, len: u32, share: f32 }
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
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Parameters;
    use at_shaders::Kernel;

    /// Every kernel with this block has it as it is here, and there is one.
    pub(crate) fn is_in_its_kernels<P: Parameters>() {
        let kernels: Vec<_> = Kernel::ALL.iter().filter(|kernel| kernel.parameters() == P::NAME).collect();
        assert!(!kernels.is_empty(), "no kernel has the parameters {}", P::NAME);
        for kernel in kernels {
            let module = naga::front::wgsl::parse_str(kernel.source())
                .unwrap_or_else(|error| panic!("{}: {}", kernel.name(), error.emit_to_string(kernel.source())));
            let mut variables = module.global_variables.iter().map(|(_, variable)| variable);
            let uniform = variables.find(|variable| variable.space == naga::AddressSpace::Uniform);
            let block = &module.types[uniform.unwrap_or_else(|| panic!("{} has no parameters", kernel.name())).ty];
            assert_eq!(block.name.as_deref(), Some(P::NAME), "{}", kernel.name());
            let naga::TypeInner::Struct { members, span } = &block.inner else {
                panic!("{}: {} is no struct", kernel.name(), P::NAME)
            };
            let found: Vec<_> =
                members.iter().map(|member| (member.name.as_deref().unwrap_or(""), member.offset as usize)).collect();
            assert_eq!(found, P::members(), "{}", kernel.name());
            assert_eq!(*span as usize, std::mem::size_of::<P>(), "{}", kernel.name());
        }
    }

    /// What is launched with a kernel is a block of [`parameters!`], and every launch asserts that it is the kernel's own; here
    /// kernels count too that nobody launches.
    #[test]
    fn no_kernel_is_without_a_twin_of_its_parameters() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let within = |folder: &str| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let all = within(folder).chain(within(&format!("{folder}/mesh"))).filter(|path| path.is_file());
        let files = all.map(|path| std::fs::read_to_string(path).unwrap());
        let blocks = files.filter_map(|text| {
            let (_, blocks) = text.split_once("\nparameters! {\n")?;
            Some(blocks.split("\n}\n").next()?.to_string())
        });
        let blocks: Vec<String> = blocks.collect();
        for kernel in Kernel::ALL {
            let head = format!("    {} {{", kernel.parameters());
            let twins = blocks.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with(&head)).count();
            assert_eq!(twins, 1, "twins of the parameters {} of {}", kernel.parameters(), kernel.name());
        }
    }
}
