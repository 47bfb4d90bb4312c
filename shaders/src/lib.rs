//! The WGSL compute kernels of photonic neural networks: their sources, and what a host must know of each to launch it.
//!
//! A [`Kernel`] is one file with one entry point of its own name; [`source`](Kernel::source) joins it to the declarations that it shares with
//! others. Binding 0 holds its parameters, a uniform block; storage buffers follow from binding 1 on. No host code lives here: `at-gpu` runs
//! the kernels through wgpu, and anything that takes WGSL can.

#![no_std]

macro_rules! kernels {
    ($(#[doc = $does:literal] $variant:ident $name:literal $bindings:literal $parameters:literal [$($common:literal),*];)*) => {
        /// A kernel: one WGSL file with one entry point of the same name. Each says what it does, and which file of at-core's sources
        /// is its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kernel { $(#[doc = concat!("`", $name, ".wgsl`:", $does)] $variant),* }

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
    /// counts loop turns, to know the driver.
    Canary "canary" "w" "Canary" [];
    /// copies, to know the speed of the device's memory.
    Copy "copy" "rw" "Length" ["index"];
    /// y ← a x + b y, `cpu/engine.rs`.
    Combine "combine" "rw" "Combine" ["index"];
    /// y ← x ∘ y, `cpu/engine.rs`.
    Multiply "multiply" "rw" "Length" ["index"];
    /// columns of one matrix into another, `cpu/engine.rs`.
    CopyColumns "copy_columns" "rw" "CopyColumns" ["index"];
    /// rows of a data set into a batch, `cpu/engine.rs`.
    Gather "gather" "rrw" "Gather" ["index"];
    /// labels of a batch, `cpu/engine.rs`.
    GatherIndices "gather_indices" "rrw" "Gather" ["index"];
    /// loss of one readout per workgroup, and its error, `engine/loss.rs`.
    Loss "loss" "rrww" "Loss" ["index"];
    /// sums over a batch, in a fixed order, `engine/loss.rs`.
    Tally "tally" "rw" "Tally" ["index"];
    /// one step of Adam, `engine/optimizer.rs`.
    Adam "adam" "rwww" "Adam" ["index"];
    /// one step of a chip's drift, `reference/drift.rs`.
    Drift "drift" "w" "Drift" ["index", "trigonometry", "random"];
    /// noise of a chip's signals, `reference/noise.rs`.
    Disturb "disturb" "w" "Disturb" ["index", "complex", "trigonometry", "random"];
    /// heat of phase shifters from controls, and its derivative, `reference/control.rs`.
    Follow "follow" "rrrrrrww" "Follow" ["index"];
    /// effective controls: crosstalk and drift added, `reference/control.rs`.
    Settle "settle" "rrrrrw" "Settle" ["index"];
    /// the gradient of controls from that of effective ones, `reference/control.rs`.
    CarryBack "carry_back" "rrrrw" "CarryBack" ["index"];
    /// optical nonlinearities, `stage/activation.rs`.
    ActivationForward "activation_forward" "rw" "Activation" ["index", "complex", "trigonometry", "activation"];
    /// their adjoints, `stage/activation.rs`.
    ActivationBackward "activation_backward" "rrw" "Activation" ["index", "complex", "trigonometry", "activation"];
    /// photodetection, `stage/detection.rs`.
    DetectionForward "detection_forward" "rw" "Detection" ["index", "detection"];
    /// its adjoint, `stage/detection.rs`.
    DetectionBackward "detection_backward" "rrw" "Detection" ["index", "detection"];
    /// reals onto field amplitudes, `stage/modulation.rs`.
    ModulationForward "modulation_forward" "rw" "Length" ["index"];
    /// its adjoint, `stage/modulation.rs`.
    ModulationBackward "modulation_backward" "rw" "Length" ["index"];
    /// max(x − threshold, 0), `stage/rectifier.rs`.
    RectifierForward "rectifier_forward" "rw" "Rectifier" ["index"];
    /// its adjoint, `stage/rectifier.rs`.
    RectifierBackward "rectifier_backward" "rrw" "Rectifier" ["index"];
    /// transmissions and their derivatives, `stage/attenuators.rs`.
    AttenuatorCoefficients "attenuator_coefficients" "rw" "Attenuators" ["index", "trigonometry"];
    /// attenuators between two meshes, `stage/attenuators.rs`.
    AttenuatorsForward "attenuators_forward" "rrw" "Attenuators" ["index"];
    /// their adjoint and products for the gradient, `stage/attenuators.rs`.
    AttenuatorsBackward "attenuators_backward" "rrrww" "Attenuators" ["index"];
    /// splitters: blocks of modes into copies; the way back of combiners, `stage/splitter.rs`.
    Splitter "splitter" "rw" "Division" ["index", "division"];
    /// combiners: copies into blocks of modes; the way back of splitters, `stage/combiner.rs`.
    Combiner "combiner" "rw" "Division" ["index", "division"];
    /// weights of a distorted matrix, `stage/matrix.rs`.
    MatrixCoefficients "matrix_coefficients" "rrw" "Weights" ["index"];
    /// weights of a bank and their slopes, `stage/weight_bank.rs`.
    WeightBankCoefficients "weight_bank_coefficients" "rrww" "Weights" ["index", "trigonometry"];
    /// slopes of those weights by the errors of their cells, `stage/weight_bank.rs`.
    WeightBankErrors "weight_bank_errors" "rrw" "Weights" ["index", "trigonometry"];
    /// errors of weights from an estimate of them, `cpu/weights.rs`.
    WeightsEstimate "weights_estimate" "rw" "WeightsEstimate" ["index"];
    /// from the gradient of weights to those of their controls and errors, `cpu/weights.rs`.
    WeightsSlopes "weights_slopes" "rrrww" "WeightsSlopes" ["index"];
    /// cosine and sine of half of every ring's phase, `stage/ring_bank.rs`.
    RingBankTurns "ring_bank_turns" "rrw" "RingBank" ["index", "trigonometry", "ring_bank"];
    /// weights of a ring bank, `stage/ring_bank.rs`.
    RingBankCoefficients "ring_bank_coefficients" "rrrw" "RingBank" ["index", "ring_bank"];
    /// from the gradient of weights to that of the rings' phases, `stage/ring_bank.rs`.
    RingBankGradient "ring_bank_gradient" "rrrrw" "RingBank" ["index", "ring_bank", "ring_slopes"];
    /// resonances and linewidths of rings from an estimate, `cpu/ring_bank.rs`.
    RingBankEstimate "ring_bank_estimate" "rw" "RingBank" ["index", "ring_bank"];
    /// from the gradient of weights to that of such an estimate, `cpu/ring_bank.rs`.
    RingBankSlopes "ring_bank_slopes" "rrrrw" "RingBank" ["index", "ring_bank", "ring_slopes"];
    /// weights of a phase-change crossbar and their slopes, `stage/phase_change.rs`.
    PhaseChangeCoefficients "phase_change_coefficients" "rrww" "Weights" ["index"];
    /// slopes of those weights by the errors of their pairs, `stage/phase_change.rs`.
    PhaseChangeErrors "phase_change_errors" "rrw" "Weights" ["index"];
    /// patches of images, `stage/convolution.rs`.
    ConvolutionPatches "convolution_patches" "rw" "Patches" ["index", "patches"];
    /// adjoints of patches back into adjoints of images, `stage/convolution.rs`.
    ConvolutionBack "convolution_back" "rw" "Patches" ["index", "patches"];
    /// from patches to channels, and back, `stage/convolution.rs`.
    ConvolutionTurn "convolution_turn" "rw" "Turn" ["index"];
    /// gradients of the pieces of a batch, `cpu/convolution.rs`.
    ConvolutionAdd "convolution_add" "rw" "PieceGradient" ["index"];
    /// normalisation of images, `stage/normalization.rs`.
    NormalizationForward "normalization_forward" "rrw" "Normalization" ["index", "normalization"];
    /// its adjoint, and products for the gradient, `stage/normalization.rs`.
    NormalizationBackward "normalization_backward" "rrrww" "Normalization" ["index", "normalization"];
    /// the mean or the maximum of every patch, `stage/pooling.rs`.
    PoolingForward "pooling_forward" "rw" "Pooling" ["index", "pooling"];
    /// its adjoint, `stage/pooling.rs`.
    PoolingBackward "pooling_backward" "rrw" "Pooling" ["index", "pooling"];
    /// transmissions of a mask's pixels and their slopes, `stage/mask.rs`.
    MaskCoefficients "mask_coefficients" "rrw" "Mask" ["index", "complex", "trigonometry", "mask"];
    /// light through a mask, either way, `stage/mask.rs`.
    MaskTransmit "mask_transmit" "rrw" "Mask" ["index", "complex", "mask"];
    /// products for the gradient of a mask, `stage/mask.rs`.
    MaskProducts "mask_products" "rrrw" "Mask" ["index", "complex", "mask"];
    /// rows of a grid to their spectra, `stage/free_space.rs`.
    FreeSpaceEnter "free_space_enter" "rrrrw" "FreeSpace" ["index", "complex", "fourier", "free_space"];
    /// columns of spectra through free space, either way, `stage/free_space.rs`.
    FreeSpaceCross "free_space_cross" "rrw" "FreeSpace" ["index", "complex", "fourier", "free_space"];
    /// rows of spectra back to a grid, `stage/free_space.rs`.
    FreeSpaceLeave "free_space_leave" "rrrrw" "FreeSpace" ["index", "complex", "fourier", "free_space"];
    /// H and ramps of planes that stand where an estimate says, `optics/plane_position.rs`.
    FreeSpaceEstimate "free_space_estimate" "rrrrww" "FreeSpaceEstimate" ["index", "complex", "trigonometry"];
    /// slopes of such an estimate by shifts and the distance, of every column of a sample's spectra, `cpu/free_space.rs`.
    FreeSpaceSlopes "free_space_slopes" "rrrrrrw" "FreeSpace" ["index", "complex", "fourier", "free_space"];
    /// slopes of such an estimate by tilts, of every row of a sample, `cpu/free_space.rs`.
    FreeSpaceTilts "free_space_tilts" "rrrw" "FreeSpace" ["index", "complex", "free_space"];
    /// power on square regions of a grid, `stage/regions.rs`.
    RegionsForward "regions_forward" "rrw" "Regions" ["index", "regions"];
    /// its adjoint, `stage/regions.rs`.
    RegionsBackward "regions_backward" "rrrw" "Regions" ["index", "regions"];
    /// blocked product of strided matrices, `stage/weights.rs`.
    MatrixProduct "matrix_product" "rrrw" "MatrixProduct" ["index", "matrix_product"];
    /// the same, 8 x 8 sums per invocation, `stage/weights.rs`.
    MatrixProductLarge "matrix_product_large" "rrrw" "MatrixProduct" ["index", "matrix_product"];
    /// sums over the rows of a matrix, `cpu/engine.rs`.
    ColumnSum "column_sum" "rrw" "ColumnSum" ["index"];
    /// the 2x2 matrix of every MZI, the factor of every output, `stage/mesh.rs`.
    MeshCoefficients "mesh_coefficients" "rrrww" "MeshCoefficients" ["index", "complex", "trigonometry"];
    /// couplers and errors of θ from an estimate of imperfections, `propagator.rs`, `cpu/mesh.rs`.
    MeshEstimate "mesh_estimate" "rww" "MeshEstimate" ["index", "trigonometry", "estimated_mzis"];
    /// transmissions of waveguides from an estimate of their losses, `cpu/mesh.rs`.
    MeshLosses "mesh_losses" "rrw" "MeshLosses" ["index"];
    /// adjoints a quarter turn back, for the gradient of losses, `cpu/mesh.rs`.
    MeshTurnAdjoint "mesh_turn_adjoint" "rw" "MeshTurnAdjoint" ["index"];
    /// cos and sin of every φ, for the gradient of an estimate, `cpu/mesh.rs`.
    MeshTurns "mesh_turns" "rrw" "MeshEstimate" ["index", "trigonometry", "estimated_mzis"];
    /// errors of φ and γ from phases of waveguides, `optics/waveguide_phases.rs`.
    MeshWaveguideErrors "mesh_waveguide_errors" "rrww" "Waveguides" ["index", "mesh_waveguides"];
    /// its transpose, and the gradient of errors of θ, `optics/waveguide_phases.rs`.
    MeshWaveguideGradient "mesh_waveguide_gradient" "rrww" "Waveguides" ["index", "mesh_waveguides"];
    /// a pass of columns in workgroup memory, `stage/mesh.rs`.
    MeshForward "mesh_forward" "rrrrrw" "MeshColumns" ["index", "complex", "mesh_dies", "mesh_columns"];
    /// fields beside adjoints, before the output phases, `stage/mesh.rs`.
    MeshEnterBackward "mesh_enter_backward" "rrrww" "MeshEnter" ["index", "complex"];
    /// a pass of columns backwards: fields rebuilt, phase gradients; those of couplers where they are asked for, `stage/mesh.rs`.
    MeshBackward "mesh_backward" "rrrrrwwr" "MeshColumns" ["index", "complex", "mesh_dies", "mesh_columns"];
    /// the adjoint of what entered, `stage/mesh.rs`.
    MeshLeaveBackward "mesh_leave_backward" "rw" "MeshLeave" ["index"];
    /// columns in either direction, with fields or powers at the shifters, `stage/mesh.rs`.
    MeshSend "mesh_send" "rrrrrrww" "MeshColumns" ["index", "complex", "mesh_dies", "mesh_columns"];
    /// sums of gradients or powers over workgroups, `stage/mesh.rs`.
    MeshGradientReduce "mesh_gradient_reduce" "rw" "GradientReduce" ["index"];
    /// a pass of columns in the registers of subgroups, `stage/mesh.rs`.
    MeshLanesForward "mesh_lanes_forward" "rrrrrw" "MeshLanes" ["index", "complex", "mesh_dies", "mesh_lanes"];
    /// the same backwards: fields rebuilt, phase gradients, `stage/mesh.rs`.
    MeshLanesBackward "mesh_lanes_backward" "rrrrrww" "MeshLanes" ["index", "complex", "mesh_dies", "mesh_lanes"];
    /// blocks of a mesh as small matrices, `stage/mesh.rs`.
    MeshBlockMatrices "mesh_block_matrices" "rrrw" "MeshBlocks" ["index", "complex", "mesh_dies", "mesh_blocks"];
    /// phase gradients of blocks from those products, `stage/mesh.rs`.
    MeshBlockGradient "mesh_block_gradient" "rrrrrw" "MeshBlocks" ["index", "complex", "mesh_dies", "mesh_blocks"];
    /// their sums into the network's gradient, `stage/mesh.rs`.
    MeshBlockReduce "mesh_block_reduce" "rrw" "MeshBlocks" ["index", "mesh_dies", "mesh_blocks"];
    /// samples times the matrices of blocks, or one matrix, `stage/mesh.rs`.
    MeshBlockProduct "mesh_block_product" "rrrrw" "BlockProduct" ["index", "complex"];
    /// products of fields and adjoints over a batch, `stage/mesh.rs`.
    MeshBlockGram "mesh_block_gram" "rw" "BlockGram" ["index"];
    /// rows of the identity.
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
                | Kernel::FreeSpaceEnter
                | Kernel::FreeSpaceCross
                | Kernel::FreeSpaceLeave
                | Kernel::FreeSpaceSlopes
        )
    }
}
