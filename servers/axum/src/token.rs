//! Tokens: JWT, HS256, the subject is the user.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::clock;

/// Issues and checks tokens.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    life_s: i64,
    audience: Option<String>,
}

#[derive(Serialize)]
struct Claims {
    sub: String,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
}

/// What a good token says.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// Whom it speaks for.
    pub user: Arc<str>,
    /// From when on it is no longer good, in milliseconds since the epoch.
    pub expires_at_ms: i64,
}

impl Ticket {
    /// The same, if it is good now, and is of a user who can be stored.
    pub(crate) fn checked(self, now_ms: i64) -> Result<Self, TokenRefused> {
        if let Some(flaw) = user_flaw(&self.user) {
            tracing::error!(
                flaw,
                "nobody can connect as this user: what is given to `authenticate` has to name another"
            );
            return Err(TokenRefused::Invalid);
        }
        if self.expires_at_ms <= now_ms {
            return Err(TokenRefused::Expired);
        }
        Ok(self)
    }
}

/// Why there can be no user of this name.
fn user_flaw(user: &str) -> Option<&'static str> {
    if !(1..=MAX_USER_BYTES).contains(&user.len()) {
        return Some("a user has 1 to 128 bytes");
    }
    // It is a character to JSON and to SQLite, and none to PostgreSQL.
    user.contains('\0').then_some("a user has no NUL")
}

#[cfg(test)]
impl Ticket {
    /// One that is always good.
    pub fn of(user: &str) -> Self {
        Self { user: user.into(), expires_at_ms: i64::MAX }
    }
}

/// Why a token was refused, in words that give nothing away about the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefused {
    /// There is none.
    Missing,
    /// It was good once.
    Expired,
    /// It will be good later.
    Early,
    /// Not a token, not for this server, not signed by us, or not with our algorithm.
    Invalid,
}

impl TokenRefused {
    /// The reason of the close frame, in the words of the systems that this server takes the place of.
    #[must_use]
    pub fn close_reason(self) -> &'static str {
        match self {
            Self::Missing => "Missing authentication token",
            Self::Expired => "Authentication token expired",
            Self::Early => "Authentication token not valid yet",
            Self::Invalid => "Invalid authentication token",
        }
    }

    /// One word for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "token missing",
            Self::Expired => "token expired",
            Self::Early => "token not valid yet",
            Self::Invalid => "token invalid",
        }
    }
}

impl Tokens {
    /// Tokens that are signed with this secret, HS256, and live for half an hour. At least 32 bytes are advised.
    #[must_use]
    pub fn new(secret: impl AsRef<[u8]>) -> Self {
        Self::with(secret.as_ref(), 1800, None)
    }

    /// The same with another life in seconds, for those that are issued, and for an audience; without one, a token for any is good.
    #[must_use]
    pub fn for_audience(secret: impl AsRef<[u8]>, life_s: i64, audience: Option<&str>) -> Self {
        Self::with(secret.as_ref(), life_s, audience)
    }

    fn with(secret: &[u8], life_s: i64, audience: Option<&str>) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.validate_aud = audience.is_some();
        match audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                validation.set_required_spec_claims(&["exp", "sub", "aud"]);
            }
            None => validation.set_required_spec_claims(&["exp", "sub"]),
        }
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
            life_s,
            audience: audience.map(str::to_owned),
        }
    }

    /// A token for `user`. A negative life gives one that has expired already, which tests need.
    ///
    /// It names the audience that this server wants, if it wants one.
    ///
    /// # Errors
    /// The library for signatures has failed.
    pub fn issue(&self, user: &str, life_s: Option<i64>) -> Result<String, jsonwebtoken::errors::Error> {
        let now = clock::epoch_ms() / 1000;
        let exp = now.saturating_add(life_s.unwrap_or(self.life_s));
        let claims = Claims { sub: user.to_owned(), iat: now, exp, aud: self.audience.clone() };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
    }

    /// What the token says.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check(&self, token: Option<&str>) -> Result<Ticket, TokenRefused> {
        let token = token.filter(|token| !token.is_empty()).ok_or(TokenRefused::Missing)?;
        let claims = jsonwebtoken::decode::<Checked>(token, &self.decoding, &self.validation)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature => TokenRefused::Expired,
                jsonwebtoken::errors::ErrorKind::ImmatureSignature => TokenRefused::Early,
                _ => TokenRefused::Invalid,
            })?
            .claims;
        if user_flaw(&claims.sub).is_some() {
            return Err(TokenRefused::Invalid);
        }
        // Beyond the range of integers it is good for ever, which the conversion gives.
        Ok(Ticket { user: claims.sub.into(), expires_at_ms: (claims.exp * 1000.0) as i64 })
    }
}

#[derive(Deserialize)]
struct Checked {
    sub: String,
    /// Seconds, which may have a fraction.
    exp: f64,
}

/// Longest user id, in bytes. It is copied into every event about the user.
pub const MAX_USER_BYTES: usize = 128;
