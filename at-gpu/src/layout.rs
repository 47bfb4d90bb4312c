//! The parameter blocks of the stages as Rust sees them. A test compares every member's offset with the WGSL text.

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
}
