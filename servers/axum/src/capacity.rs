//! How many connections there may be.

/// The bounds on connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub total: usize,
    pub per_user: usize,
}

/// Why there is no room for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Server,
    User,
}

impl Capacity {
    /// Whether there is room for one more beside so many, and beside those that its user has, if they have any.
    pub fn check(self, connections: usize, of_user: Option<usize>) -> Result<(), Full> {
        if connections >= self.total {
            return Err(Full::Server);
        }
        if of_user.is_some_and(|connections| connections >= self.per_user) {
            return Err(Full::User);
        }
        Ok(())
    }
}

impl Full {
    /// One word for close reasons, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server full",
            Self::User => "too many connections of this user",
        }
    }
}
