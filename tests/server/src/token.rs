//! Tokens: JWT, HS256, the subject is the user.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::{clock, hs256, options::Secret};

/// Issues and checks tokens.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    life_s: i64,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    iat: i64,
    exp: i64,
}

/// Why a token was refused, in words that give nothing away about the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// There is none.
    Missing,
    /// It was good once.
    Expired,
    /// Not a token, not signed by us, or not with our algorithm.
    Invalid,
}

impl TokenError {
    /// One word for close reasons, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "token missing",
            Self::Expired => "token expired",
            Self::Invalid => "token invalid",
        }
    }
}

impl Tokens {
    pub fn new(secret: &Secret, life_s: i64) -> Self {
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "sub"]);
        validation.leeway = 0;
        Self {
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
            validation,
            life_s,
        }
    }

    /// A token for `user`. A negative life gives one that has expired already, which tests need.
    pub fn issue(&self, user: &str, life_s: Option<i64>) -> Result<String, jsonwebtoken::errors::Error> {
        let now = clock::epoch_ms() / 1000;
        let claims = Claims { sub: user.to_owned(), iat: now, exp: now.saturating_add(life_s.unwrap_or(self.life_s)) };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
    }

    /// The user that the token speaks for.
    pub fn check(&self, token: Option<&str>) -> Result<Arc<str>, TokenError> {
        let token = token.filter(|token| !token.is_empty()).ok_or(TokenError::Missing)?;
        let claims = jsonwebtoken::decode::<Subject>(token, &self.decoding, &self.validation)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Invalid,
            })?
            .claims;
        if claims.sub.is_empty() || claims.sub.len() > MAX_USER_BYTES {
            return Err(TokenError::Invalid);
        }
        Ok(claims.sub.into())
    }
}

#[derive(Deserialize)]
struct Subject {
    sub: String,
}

/// Longest user id, in bytes. It is copied into every event about the user.
pub const MAX_USER_BYTES: usize = 128;
