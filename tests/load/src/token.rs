//! Tokens as the application's own back end would issue them: JWT, HS256.

use std::time::SystemTime;

use anyhow::{Context as _, Result};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

/// A token for `user` that is good for half an hour.
pub fn issue(secret: &str, user: &str) -> Result<String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let claims = json!({ "sub": user, "iat": now, "exp": now + LIFE_S });
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).context("signing a token")
}

const LIFE_S: u64 = 1800;

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation, decode};

    use super::*;

    #[test]
    fn a_token_is_signed_by_the_secret_names_the_user_and_ends_in_half_an_hour() {
        let token = issue("a secret", "ada").unwrap();
        let check = |secret: &str| {
            let key = DecodingKey::from_secret(secret.as_bytes());
            decode::<serde_json::Value>(&token, &key, &Validation::new(Algorithm::HS256))
        };
        let claims = check("a secret").unwrap().claims;
        assert_eq!(claims["sub"], "ada");
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), LIFE_S);
        assert!(check("another secret").is_err());
    }
}
