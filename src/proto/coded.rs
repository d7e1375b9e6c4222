//! Enums whose variants have stable names for programs.

/// Declares an enum, the name of each variant as it stands on the wire or in the API, and the list of all variants.
macro_rules! coded {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every variant, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The stable name that programs can test for.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }
        }
    };
}

pub(super) use coded;
