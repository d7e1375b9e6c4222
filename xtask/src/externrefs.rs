//! Lets the module give back quickly what references it was called with.
//!
//! wasm-bindgen keeps them on a stack in a table, and empties their places by `table.fill` where the module says that it uses bulk memory. Engines leave
//! compiled code for that, and not for `table.set`, which is as short for the one or two that there are.

use anyhow::{Context, Result, ensure};
use walrus::{Module, RawCustomSection};

/// Takes what wasm-bindgen decides by out of the list of what the module uses.
pub fn empty_one_by_one(module: &mut Module) -> Result<()> {
    let section =
        module.customs.remove_raw(SECTION).context("the compiled module does not say which features it uses")?;
    let data = without(&section.data, b"bulk-memory")?;
    module.customs.add(RawCustomSection { name: SECTION.to_owned(), data });
    Ok(())
}

const SECTION: &str = "target_features";

/// The section is a number of entries, each a prefix, the length of a name, and the name.
fn without(section: &[u8], feature: &[u8]) -> Result<Vec<u8>> {
    let (count, mut rest) = section.split_first().context("an empty list of features")?;
    let mut kept = vec![0];
    for _ in 0..*count {
        let length = usize::from(*rest.get(1).context("a list of features that is cut")?);
        ensure!(length < 128 && rest.len() >= 2 + length, "a list of features that is cut");
        let (entry, others) = rest.split_at(2 + length);
        if &entry[2..] != feature {
            kept.extend_from_slice(entry);
            kept[0] += 1;
        }
        rest = others;
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_feature_is_taken_out_and_those_with_longer_names_stay() {
        let section = b"\x03+\x0bbulk-memory+\x0fbulk-memory-opt+\x08sign-ext";
        assert_eq!(without(section, b"bulk-memory").unwrap(), b"\x02+\x0fbulk-memory-opt+\x08sign-ext");
        assert_eq!(without(b"\x01+\x08sign-ext", b"bulk-memory").unwrap(), b"\x01+\x08sign-ext");
        assert!(without(b"\x01+\x08sign", b"bulk-memory").is_err());
    }
}
