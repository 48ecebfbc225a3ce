//! Digests.

use arrow::array::ArrayRef;
use md5::Md5;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::encode::to_hex;
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{BYTEA, TEXT},
};

pub(super) static MD5: Function = Function {
    name: "md5",
    purpose: "The MD5 digest in hexadecimal",
    example: "md5('abc')",
    shows: "900150983cd24fb0d6963f7d28e17f72",
    overloads: &[Overload::new(&[TEXT], TEXT, md5_of_text), Overload::new(&[BYTEA], TEXT, md5_of_bytes)],
};

/// Makes a function of a digest for each line.
macro_rules! digests {
    ($($constant:ident $name:literal $bits:literal $digest:ty, $shows:literal;)*) => {
        $(
            pub(super) static $constant: Function = Function {
                name: $name,
                purpose: concat!("The SHA-2 digest of ", $bits, " bits"),
                example: concat!($name, "('abc')"),
                shows: $shows,
                overloads: &[Overload::new(&[BYTEA], BYTEA, digest::<$digest>)],
            };
        )*
    };
}

digests! {
    SHA224 "sha224" "224" Sha224, "\\x23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7";
    SHA256 "sha256" "256" Sha256, "\\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    SHA384 "sha384" "384" Sha384,
        "\\xcb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7";
    SHA512 "sha512" "512" Sha512,
        "\\xddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
}

fn md5_of_text(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.text_of(|row| Ok(Some(to_hex(&Md5::digest(texts.value(row).as_bytes())))))
}

fn md5_of_bytes(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.text_of(|row| Ok(Some(to_hex(&Md5::digest(bytes.value(row))))))
}

fn digest<D: Digest>(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.bytes_of(|row| Ok(Some(D::digest(bytes.value(row)).to_vec())))
}
