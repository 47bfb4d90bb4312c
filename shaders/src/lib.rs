//! The WGSL compute kernels of photonic neural networks: their sources, and what a host must know of each to launch it.
//!
//! A [`Kernel`] is one file with one entry point of its own name; [`source`](Kernel::source) joins it to the declarations that it shares with
//! others. Binding 0 holds its parameters, a uniform block; storage buffers follow from binding 1 on. No host code lives here: `at-gpu` runs
//! the kernels through wgpu, and anything that takes WGSL can.

#![no_std]

macro_rules! kernels {
    ($($variant:ident $name:literal $bindings:literal $parameters:literal [$($common:literal),*];)*) => {
        /// A kernel: one WGSL file with one entry point of the same name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kernel { $(#[doc = concat!("`", $name, ".wgsl`")] $variant),* }

        impl Kernel {
            /// Every kernel, in the order of the table.
            pub const ALL: &[Kernel] = &[$(Kernel::$variant),*];

            /// File, entry point and label.
            pub fn name(self) -> &'static str {
                match self { $(Kernel::$variant => $name),* }
            }

            /// Storage bindings from binding 1 on: `r` read, `w` read and write. Binding 0 holds the parameters.
            pub fn bindings(self) -> &'static str {
                match self { $(Kernel::$variant => $bindings),* }
            }

            /// Name of the parameter block's WGSL struct.
            pub fn parameters(self) -> &'static str {
                match self { $(Kernel::$variant => $parameters),* }
            }

            /// The kernel's whole WGSL text: its file behind the shared declarations that it uses.
            pub fn source(self) -> &'static str {
                match self {
                    $(Kernel::$variant => concat!(
                        $(include_str!(concat!("../common/", $common, ".wgsl")), "\n",)*
                        include_str!(concat!("../", $name, ".wgsl"))
                    )),*
                }
            }
        }
    };
}

kernels! {
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
    Splitter "splitter" "rw" "Division" ["index", "division"];
    Combiner "combiner" "rw" "Division" ["index", "division"];
    MatrixCoefficients "matrix_coefficients" "rrw" "Weights" ["index"];
    WeightBankCoefficients "weight_bank_coefficients" "rrww" "Weights" ["index", "trigonometry"];
    MatrixProduct "matrix_product" "rrrw" "MatrixProduct" ["index", "matrix_product"];
    MatrixProductLarge "matrix_product_large" "rrrw" "MatrixProduct" ["index", "matrix_product"];
    ColumnSum "column_sum" "rrw" "ColumnSum" ["index"];
    MeshCoefficients "mesh_coefficients" "rrrww" "MeshCoefficients" ["index", "complex", "trigonometry"];
    MeshEstimate "mesh_estimate" "rww" "MeshEstimate" ["index", "trigonometry", "estimated_mzis"];
    MeshTurns "mesh_turns" "rrw" "MeshEstimate" ["index", "trigonometry", "estimated_mzis"];
    MeshWaveguideErrors "mesh_waveguide_errors" "rrww" "Waveguides" ["index", "mesh_waveguides"];
    MeshWaveguideGradient "mesh_waveguide_gradient" "rrww" "Waveguides" ["index", "mesh_waveguides"];
    MeshForward "mesh_forward" "rrrrrw" "MeshColumns" ["index", "complex", "mesh_dies", "mesh_columns"];
    MeshEnterBackward "mesh_enter_backward" "rrrww" "MeshEnter" ["index", "complex"];
    MeshBackward "mesh_backward" "rrrrrwwr" "MeshColumns" ["index", "complex", "mesh_dies", "mesh_columns"];
    MeshLeaveBackward "mesh_leave_backward" "rw" "MeshLeave" ["index"];
    MeshSend "mesh_send" "rrrrrrww" "MeshColumns" ["index", "complex", "mesh_dies", "mesh_columns"];
    MeshGradientReduce "mesh_gradient_reduce" "rw" "GradientReduce" ["index"];
    MeshLanesForward "mesh_lanes_forward" "rrrrrw" "MeshLanes" ["index", "complex", "mesh_dies", "mesh_lanes"];
    MeshLanesBackward "mesh_lanes_backward" "rrrrrww" "MeshLanes" ["index", "complex", "mesh_dies", "mesh_lanes"];
    MeshBlockMatrices "mesh_block_matrices" "rrrw" "MeshBlocks" ["index", "complex", "mesh_dies", "mesh_blocks"];
    MeshBlockGradient "mesh_block_gradient" "rrrrrw" "MeshBlocks" ["index", "complex", "mesh_dies", "mesh_blocks"];
    MeshBlockReduce "mesh_block_reduce" "rrw" "MeshBlocks" ["index", "mesh_dies", "mesh_blocks"];
    MeshBlockProduct "mesh_block_product" "rrrrw" "BlockProduct" ["index", "complex"];
    MeshBlockGram "mesh_block_gram" "rw" "BlockGram" ["index"];
    Identity "identity" "w" "Identity" ["index"];
}

impl Kernel {
    /// Whether the speed of a training depends on its inner loops.
    pub fn is_hot(self) -> bool {
        matches!(
            self,
            Kernel::MatrixProduct
                | Kernel::MatrixProductLarge
                | Kernel::MeshForward
                | Kernel::MeshBackward
                | Kernel::MeshLanesForward
                | Kernel::MeshLanesBackward
                | Kernel::MeshBlockMatrices
                | Kernel::MeshBlockGradient
                | Kernel::MeshBlockProduct
                | Kernel::MeshBlockGram
        )
    }
}
