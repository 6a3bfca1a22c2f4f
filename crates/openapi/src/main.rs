//! `cargo run -p openapi` writes the files `openapi/*.json`.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi");
    fs::create_dir_all(&folder)?;
    for (name, document) in openapi::documents() {
        let file = folder.join(format!("{name}.json"));
        fs::write(file, openapi::file_text(&document))?;
    }
    Ok(())
}
