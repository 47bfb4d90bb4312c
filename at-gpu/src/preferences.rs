//! The ways that light can cross a mesh, and which kernels a caller insists on.

/// Kernels for a mesh.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeshVariant {
    /// Samples column by column in workgroup memory.
    Stream,
    /// Samples column by column in the registers of subgroups.
    Lanes,
    /// Blocks of columns and modes as small matrices.
    Blocks,
    /// One matrix, made by streaming the identity.
    WholeByStream,
    /// One matrix, made by sending the identity through registers.
    WholeByLanes,
    /// One matrix, made by sending the identity through blocks.
    WholeByBlocks,
}

impl MeshVariant {
    /// Every variant.
    pub const ALL: [MeshVariant; 6] = [
        MeshVariant::Stream,
        MeshVariant::Lanes,
        MeshVariant::Blocks,
        MeshVariant::WholeByStream,
        MeshVariant::WholeByLanes,
        MeshVariant::WholeByBlocks,
    ];

    /// How samples cross the mesh itself: those of a batch, or those of the identity.
    pub(crate) fn crossing(self) -> Crossing {
        match self {
            MeshVariant::Stream | MeshVariant::WholeByStream => Crossing::Stream,
            MeshVariant::Lanes | MeshVariant::WholeByLanes => Crossing::Lanes,
            MeshVariant::Blocks | MeshVariant::WholeByBlocks => Crossing::Blocks,
        }
    }

    /// Whether there is one matrix for the whole mesh.
    pub(crate) fn is_whole(self) -> bool {
        matches!(self, MeshVariant::WholeByStream | MeshVariant::WholeByLanes | MeshVariant::WholeByBlocks)
    }
}

/// How samples cross a mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crossing {
    Stream,
    Lanes,
    Blocks,
}

/// Kernels to use whatever their cost, for tests and measurements of a single one.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// How light crosses meshes.
    pub mesh: Option<MeshVariant>,
    /// Tiles of matrix products: large or small.
    pub large_products: Option<bool>,
    /// Samples whose patches a convolution makes at a time.
    pub samples_of_patches: Option<usize>,
}
