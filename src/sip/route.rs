//! Values of Route, Record-Route and Path (RFC 3261 §20.34, RFC 3327).

use bytes::Bytes;

use super::address::Address;
use super::malformed::Malformed;
use super::name::Name;
use super::uri::Uri;

/// One hop.
#[derive(Clone, Debug)]
pub struct Route {
    /// Where to.
    pub uri: Uri,
    /// The whole value as it came.
    pub raw: Bytes,
}

impl Route {
    /// Reads one value of the header `name`, which an error names. Brackets are asked for by the RFC, but not here.
    pub fn parse(raw: impl Into<Bytes>, name: &Name) -> Result<Self, Malformed> {
        let address = Address::parse(raw.into(), |_, _| Some(())).ok_or_else(|| Malformed::Syntax(name.clone()))?;
        Ok(Self { uri: address.uri, raw: address.raw })
    }
}
