//! Writes `events/<function>/<case>.json` from the tables, and removes files that no table has: `cargo xtask events`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../events");
    let files: BTreeMap<PathBuf, String> = test_cases::cases()
        .iter()
        .map(|case| (folder.join(case.function).join(format!("{}.json", case.name)), case.text()))
        .collect();
    let mut written = 0;
    for (file, text) in &files {
        if fs::read_to_string(file).ok().as_ref() != Some(text) {
            file.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(file, text)?;
            written += 1;
        }
    }
    let mut removed = 0;
    for function in entries(&folder)?.into_iter().filter(|path| path.is_dir()) {
        for file in entries(&function)?.into_iter().filter(|file| !files.contains_key(file)) {
            fs::remove_file(file)?;
            removed += 1;
        }
        if entries(&function)?.is_empty() {
            fs::remove_dir(function)?;
        }
    }
    println!("{} sample events: {written} written, {removed} removed", files.len());
    Ok(())
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(folder.join(entry?.file_name()))).collect()
}
