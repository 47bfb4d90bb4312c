//! The library's own methods: a line each, in the order of tables. All else that there is to say stands in the method's file.

use super::{Ingredients, Method, MethodFacts, MethodName, Reachable};
use crate::Result;
use crate::propagator::Simulator;

/// What a line stands for: `FACTS` and `build` of the module.
macro_rules! methods {
    ($($name:ident = $($module:ident)::+;)*) => {
        /// The facts of all.
        pub const FACTS: [&MethodFacts; [$(stringify!($name)),*].len()] = [$(&super::$($module)::+::FACTS),*];

        #[allow(non_upper_case_globals, reason = "they are written as the variants of an enum would be")]
        impl MethodName {
            $(
                #[doc = concat!("[`super::", stringify!($($module)::+), "`]")]
                pub const $name: MethodName = super::$($module)::+::FACTS.name;
            )*

            /// The library's own methods.
            pub const ALL: [MethodName; FACTS.len()] = [$(MethodName::$name),*];
        }

        /// The method `name` from `ingredients`; nothing where the library has none of that name.
        pub(super) fn build<E: Simulator, C: Reachable<Engine = E> + 'static>(
            name: MethodName,
            ingredients: &Ingredients<'_, E>,
        ) -> Option<Result<Box<dyn Method<C>>>> {
            $(
                if name == MethodName::$name {
                    return Some(super::$($module)::+::build(ingredients));
                }
            )*
            None
        }
    };
}

methods! {
    At = at;
    AtAdaptive = at_adaptive;
    InSilico = in_silico;
    Ideal = ideal;
    Pat = pat;
    PatOutput = pat_output;
    NoiseAware = noise_aware;
    Dfa = dfa;
    DfaModel = dfa_model;
    Spsa = spsa;
    ZerothOrder = zeroth_order;
    Coordinate = coordinate;
    ParameterShift = parameter_shift;
    Dat = dat;
    DatInternal = dat::internal;
    InSitu = in_situ;
    Ffm = ffm;
    Phyll = phyll;
    Subspace = subspace;
    Sat = sat;
    SatOutput = sat_output;
    Guided = guided;
    GuidedModel = guided_model;
    TikiTaka = tiki_taka;
}

impl MethodName {
    /// What there is to say of it; nothing where the library has no method of that name.
    pub fn facts(&self) -> Option<&'static MethodFacts> {
        FACTS.into_iter().find(|facts| facts.name == *self)
    }
}
