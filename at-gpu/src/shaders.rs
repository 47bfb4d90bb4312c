//! The stages: the only place that includes WGSL, and what the host must know of each.

macro_rules! stages {
    ($($variant:ident $name:literal $bindings:literal $parameters:literal [$($common:literal),*];)*) => {
        /// A stage: one WGSL file with one entry point of the same name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Stage { $(#[doc = $name] $variant),* }

        impl Stage {
            /// Every stage.
            #[cfg(test)]
            pub const ALL: &[Stage] = &[$(Stage::$variant),*];

            /// File, entry point and label.
            pub fn name(self) -> &'static str {
                match self { $(Stage::$variant => $name),* }
            }

            /// Storage bindings from binding 1 on: `r` read, `w` read and write. Binding 0 holds the parameters.
            pub fn bindings(self) -> &'static str {
                match self { $(Stage::$variant => $bindings),* }
            }

            /// Name of the parameter block.
            pub fn parameters(self) -> &'static str {
                match self { $(Stage::$variant => $parameters),* }
            }
        }

        /// The stage's text with the shared declarations that it uses.
        pub(crate) fn source(stage: Stage) -> &'static str {
            match stage {
                $(Stage::$variant => concat!(
                    $(include_str!(concat!("../../shaders/common/", $common, ".wgsl")), "\n",)*
                    include_str!(concat!("../../shaders/", $name, ".wgsl"))
                )),*
            }
        }
    };
}

stages! {
    Canary "canary" "w" "Canary" [];
    Copy "copy" "rw" "Length" ["index"];
    Combine "combine" "rw" "Combine" ["index"];
    Multiply "multiply" "rw" "Length" ["index"];
    Gather "gather" "rrw" "Gather" ["index"];
    GatherIndices "gather_indices" "rrw" "Gather" ["index"];
    Loss "loss" "rrww" "Loss" ["index"];
    Tally "tally" "rw" "Tally" ["index"];
    Adam "adam" "rwww" "Adam" ["index"];
    Drift "drift" "w" "Drift" ["index", "trigonometry", "random"];
    Disturb "disturb" "w" "Disturb" ["index", "complex", "trigonometry", "random"];
    Follow "follow" "rrrrrrww" "Follow" ["index"];
    Settle "settle" "rrrrrw" "Settle" ["index"];
    CarryBack "carry_back" "rrrrw" "CarryBack" ["index"];
    ActivationForward "activation_forward" "rw" "Activation" ["index", "complex", "trigonometry", "activation"];
    ActivationBackward "activation_backward" "rrw" "Activation" ["index", "complex", "trigonometry", "activation"];
    DetectionForward "detection_forward" "rw" "Detection" ["index", "detection"];
    DetectionBackward "detection_backward" "rrw" "Detection" ["index", "detection"];
    ModulationForward "modulation_forward" "rw" "Length" ["index"];
    ModulationBackward "modulation_backward" "rw" "Length" ["index"];
    RectifierForward "rectifier_forward" "rw" "Rectifier" ["index"];
    RectifierBackward "rectifier_backward" "rrw" "Rectifier" ["index"];
    AttenuatorCoefficients "attenuator_coefficients" "rw" "Attenuators" ["index", "trigonometry"];
    AttenuatorsForward "attenuators_forward" "rrw" "Attenuators" ["index"];
    AttenuatorsBackward "attenuators_backward" "rrrww" "Attenuators" ["index"];
    TilingSplit "tiling_split" "rw" "Tiling" ["index", "tiling"];
    TilingMerge "tiling_merge" "rw" "Tiling" ["index", "tiling"];
    MatrixCoefficients "matrix_coefficients" "rrw" "Dense" ["index"];
    WeightBankCoefficients "weight_bank_coefficients" "rrww" "Dense" ["index", "trigonometry"];
    MatrixProduct "matrix_product" "rrrw" "MatrixProduct" ["index", "matrix_product"];
    MatrixProductLarge "matrix_product_large" "rrrw" "MatrixProduct" ["index", "matrix_product"];
    ColumnSum "column_sum" "rrw" "ColumnSum" ["index"];
    MeshCoefficients "mesh_coefficients" "rrrww" "MeshCoefficients" ["index", "complex", "trigonometry"];
    MeshEstimate "mesh_estimate" "rww" "MeshEstimate" ["index", "trigonometry", "estimated_mzis"];
    MeshTurns "mesh_turns" "rrw" "MeshEstimate" ["index", "trigonometry", "estimated_mzis"];
    WaveguideErrors "waveguide_errors" "rrww" "Waveguides" ["index", "waveguides"];
    WaveguideGradient "waveguide_gradient" "rrww" "Waveguides" ["index", "waveguides"];
    MeshForward "mesh_forward" "rrrrrw" "MeshColumns" ["index", "complex", "mesh_dies", "mesh_columns"];
    MeshEnterBackward "mesh_enter_backward" "rrrww" "MeshEnter" ["index", "complex"];
    MeshBackward "mesh_backward" "rrrrrwwr" "MeshColumns" ["index", "complex", "mesh_dies", "mesh_columns"];
    MeshLeaveBackward "mesh_leave_backward" "rw" "MeshLeave" ["index"];
    MeshSend "mesh_send" "rrrrrrww" "MeshColumns" ["index", "complex", "mesh_dies", "mesh_columns"];
    GradientReduce "gradient_reduce" "rw" "GradientReduce" ["index"];
    LanesForward "lanes_forward" "rrrrrw" "MeshLanes" ["index", "complex", "mesh_dies", "mesh_lanes"];
    LanesBackward "lanes_backward" "rrrrrww" "MeshLanes" ["index", "complex", "mesh_dies", "mesh_lanes"];
    BlockMatrices "block_matrices" "rrrw" "MeshBlocks" ["index", "complex", "mesh_dies", "mesh_blocks"];
    BlockGradient "block_gradient" "rrrrrw" "MeshBlocks" ["index", "complex", "mesh_dies", "mesh_blocks"];
    BlockReduce "block_reduce" "rrw" "MeshBlocks" ["index", "mesh_dies", "mesh_blocks"];
    BlockProduct "block_product" "rrrrw" "BlockProduct" ["index", "complex"];
    BlockGram "block_gram" "rw" "BlockGram" ["index"];
    Identity "identity" "w" "Identity" ["index"];
}

impl Stage {
    /// Whether the speed of a training depends on its inner loops.
    pub fn is_hot(self) -> bool {
        matches!(
            self,
            Stage::MatrixProduct
                | Stage::MatrixProductLarge
                | Stage::MeshForward
                | Stage::MeshBackward
                | Stage::LanesForward
                | Stage::LanesBackward
                | Stage::BlockMatrices
                | Stage::BlockGradient
                | Stage::BlockProduct
                | Stage::BlockGram
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    fn parsed(stage: Stage) -> naga::Module {
        naga::front::wgsl::parse_str(source(stage))
            .unwrap_or_else(|error| panic!("{}: {}", stage.name(), error.emit_to_string(source(stage))))
    }

    #[test]
    fn every_stage_is_valid_and_few_need_an_extension() {
        for &stage in Stage::ALL {
            let module = parsed(stage);
            let subgroups = matches!(stage, Stage::LanesForward | Stage::LanesBackward);
            let capabilities = if subgroups { Capabilities::SUBGROUP } else { Capabilities::empty() };
            let mut validator = Validator::new(ValidationFlags::all(), capabilities);
            if subgroups {
                validator.subgroup_stages(naga::valid::ShaderStages::COMPUTE);
                validator.subgroup_operations(naga::valid::SubgroupOperationSet::all());
            }
            let result = validator.validate(&module);
            assert!(result.is_ok(), "{}: {:?}", stage.name(), result.err());
            let entries: Vec<_> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
            assert_eq!(entries, [stage.name()]);
        }
    }

    #[test]
    fn bindings_are_as_declared() {
        for &stage in Stage::ALL {
            let module = parsed(stage);
            let mut found = String::new();
            for binding in 1.. {
                let variable = module.global_variables.iter().find(|(_, variable)| {
                    variable.binding.as_ref().is_some_and(|place| place.group == 0 && place.binding == binding)
                });
                let Some((_, variable)) = variable else { break };
                let naga::AddressSpace::Storage { access } = variable.space else {
                    panic!("{}: binding {binding} is not storage", stage.name())
                };
                found.push(if access.contains(naga::StorageAccess::STORE) { 'w' } else { 'r' });
            }
            assert_eq!(found, stage.bindings(), "{}", stage.name());
            assert!(found.len() <= 8, "{}: WebGPU promises eight storage buffers", stage.name());
        }
    }

    #[test]
    fn parameter_blocks_have_the_offsets_of_their_twins() {
        let blocks = crate::layout::all();
        for &stage in Stage::ALL {
            let module = parsed(stage);
            let (_, uniform) = module
                .global_variables
                .iter()
                .find(|(_, variable)| variable.space == naga::AddressSpace::Uniform)
                .unwrap_or_else(|| panic!("{} has no parameters", stage.name()));
            let block = &module.types[uniform.ty];
            assert_eq!(block.name.as_deref(), Some(stage.parameters()), "{}", stage.name());
            let naga::TypeInner::Struct { members, span } = &block.inner else {
                panic!("{} is no struct", stage.name())
            };
            let found: Vec<_> =
                members.iter().map(|member| (member.name.as_deref().unwrap_or(""), member.offset as usize)).collect();
            let (_, expected, size) =
                blocks.iter().find(|(name, ..)| *name == stage.parameters()).expect("every block has a twin");
            assert_eq!(&found, expected, "{}", stage.name());
            assert_eq!(*span as usize, *size, "{}", stage.name());
        }
    }

    #[test]
    fn the_readme_lists_every_stage() {
        let readme = include_str!("../../shaders/README.md");
        for stage in Stage::ALL {
            let row = readme.lines().find(|line| line.starts_with(&format!("| `{}` |", stage.name())));
            let row = row.unwrap_or_else(|| panic!("{} is missing", stage.name()));
            assert!(row.contains(&format!("| {} |", stage.bindings())), "{row}");
        }
    }
}
