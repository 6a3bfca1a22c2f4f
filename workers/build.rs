//! Makes the document that an owner's worker serves of itself: the committed one without its white
//! space. No text of JSON has a line end in it.

use std::{env, fs, io, path::PathBuf};

const DOCUMENT: &str = concat!("../../openapi/", env!("CARGO_PKG_NAME"), ".json");

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    let lines = fs::read_to_string(DOCUMENT)?;
    let dense: String = lines.lines().map(str::trim_start).collect();
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(folder.join("openapi.json"), dense)
}
