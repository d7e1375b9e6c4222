//! String enums of wasm-bindgen that say in JavaScript what an enum of the core says in Rust.

/// Declares a string enum with the variants of an enum of the core, and the conversion to it.
///
/// Does not compile when either of the two lacks a variant, or when a string is not the `code()` of its variant.
macro_rules! mirror {
    ($(#[$meta:meta])* $vis:vis enum $name:ident of $core:ident { $($variant:ident = $code:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name {
            $($variant = $code,)*
        }

        impl From<$core> for $name {
            fn from(value: $core) -> Self {
                match value {
                    $($core::$variant => Self::$variant,)*
                }
            }
        }

        $(const _: () = assert!($crate::mirror::is_same($core::$variant.code(), $code), concat!("the core has another code than ", $code));)*
    };
}

pub(crate) use mirror;

/// Whether two strings are equal, for constants: `==` cannot be used there.
pub(crate) const fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut at = 0;
    while at < left.len() && at < right.len() && left[at] == right[at] {
        at += 1;
    }
    at == left.len() && at == right.len()
}
