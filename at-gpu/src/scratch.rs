//! Memory that a network uses between its stages and inside them. Kept from call to call, grown where a batch needs more.

use crate::context::Context;
use at_core::Result;

/// What a piece of memory is for. Stages run one after the other, so all meshes of a network share theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Signals or adjoints between stages; two, from one to the other.
    SignalA,
    SignalB,
    /// Fields between the passes of a mesh.
    Fields,
    /// Fields and adjoints on a mesh's way back; two, from one to the other.
    StatesA,
    StatesB,
    /// Adjoints behind a mesh a quarter turn back.
    Turned,
    /// Products whose sums over the batch are gradients.
    Products,
    /// Phase gradients of single workgroups.
    Partial,
    /// Sums that are summed again.
    Sums,
    /// Products of fields and adjoints over a batch.
    Gram,
    /// Rows of the identity.
    Identity,
    /// Patches of images.
    Patches,
    /// Their adjoints.
    PatchAdjoints,
    /// What leaves the element of a convolution, or its adjoint.
    PatchesLeave,
    /// The gradient of a piece of a batch.
    PieceGradient,
    /// The gradient of the imperfections of a piece of a batch.
    PieceImperfections,
}

impl Slot {
    /// Every slot.
    pub const ALL: [Slot; 16] = [
        Slot::SignalA,
        Slot::SignalB,
        Slot::Fields,
        Slot::StatesA,
        Slot::StatesB,
        Slot::Turned,
        Slot::Products,
        Slot::Partial,
        Slot::Sums,
        Slot::Gram,
        Slot::Identity,
        Slot::Patches,
        Slot::PatchAdjoints,
        Slot::PatchesLeave,
        Slot::PieceGradient,
        Slot::PieceImperfections,
    ];

    /// In words, for errors.
    pub fn label(self) -> &'static str {
        match self {
            Slot::SignalA | Slot::SignalB => "signals between stages",
            Slot::Fields => "fields inside a mesh",
            Slot::StatesA | Slot::StatesB => "fields and adjoints inside a mesh",
            Slot::Turned => "adjoints behind a mesh",
            Slot::Products => "products before their sums",
            Slot::Partial => "phase gradients before their sums",
            Slot::Sums => "sums before their sum",
            Slot::Gram => "products of fields and adjoints",
            Slot::Identity => "rows of the identity",
            Slot::Patches => "patches of images",
            Slot::PatchAdjoints => "adjoints of patches",
            Slot::PatchesLeave => "what leaves the element of a convolution",
            Slot::PieceGradient => "the gradient of a piece of a batch",
            Slot::PieceImperfections => "the gradient of the imperfections of a piece of a batch",
        }
    }
}

/// Bytes per slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs(pub [u64; Slot::ALL.len()]);

impl Needs {
    /// These bytes, and no more in the other slots.
    pub fn of(needs: &[(Slot, u64)]) -> Self {
        let mut bytes = [0; Slot::ALL.len()];
        for &(slot, need) in needs {
            bytes[slot as usize] = bytes[slot as usize].max(need);
        }
        Needs(bytes)
    }

    /// Enough for both.
    pub fn max(self, other: Self) -> Self {
        let mut bytes = self.0;
        bytes.iter_mut().zip(other.0).for_each(|(slot, need)| *slot = (*slot).max(need));
        Needs(bytes)
    }
}

/// The memory itself.
#[derive(Default)]
pub(crate) struct Scratch {
    buffers: [Option<wgpu::Buffer>; Slot::ALL.len()],
}

impl Scratch {
    /// Makes every slot at least as large as `needs` says; an unused one can still be bound. What was recorded with a smaller buffer keeps that one alive.
    pub fn reserve(&mut self, context: &Context, needs: &Needs) -> Result<()> {
        for slot in Slot::ALL {
            let need = needs.0[slot as usize];
            let buffer = &mut self.buffers[slot as usize];
            if buffer.as_ref().is_none_or(|buffer| need > buffer.size()) {
                // The old one first: both together may not fit.
                *buffer = None;
                *buffer = Some(context.buffer(slot.label(), need, wgpu::BufferUsages::STORAGE)?);
            }
        }
        Ok(())
    }

    /// The memory of a slot that was reserved.
    pub fn get(&self, slot: Slot) -> &wgpu::Buffer {
        self.buffers[slot as usize].as_ref().expect("slots are reserved before a stage is recorded")
    }
}
