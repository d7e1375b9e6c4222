//! The channels that share one connection.

use super::flaw::PacketFlaw;
use super::platform::PacketText;

/// The name of a namespace, such as `/admin`; the main one is `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace<T> {
    /// `None` is the main one, which packets do not name.
    name: Option<T>,
}

impl<T: PacketText> Namespace<T> {
    /// The main namespace, `/`.
    pub const MAIN: Self = Self { name: None };

    /// The namespace of this name.
    ///
    /// It is a [`PacketFlaw::BadNamespace`] without a slash at its start, with a comma, or above [`MAX_NAMESPACE_LENGTH`].
    pub fn new(name: T) -> Result<Self, PacketFlaw> {
        let length = name.length();
        let has_slash = name.unit_at(0) == Some(b'/');
        if !has_slash || length > MAX_NAMESPACE_LENGTH || (0..length).any(|index| name.unit_at(index) == Some(b',')) {
            return Err(PacketFlaw::BadNamespace);
        }
        Ok(Self { name: (length > 1).then_some(name) })
    }

    /// Its name as packets have it; the main one has none.
    pub const fn name(&self) -> Option<&T> {
        self.name.as_ref()
    }
}

/// How long the name of a namespace may be, in the platform's units ([`PacketText::length`]).
pub const MAX_NAMESPACE_LENGTH: usize = 256;
