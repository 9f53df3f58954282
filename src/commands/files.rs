//! Files that are written whole or not at all.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Puts the text in place of what the file held. Whoever reads meanwhile sees the old text or the new one; a symbolic
/// link stays a link.
///
/// # Errors
/// The file is as it was.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut unfinished = path.clone().into_os_string();
    unfinished.push(format!(".{}.part", uuid::Uuid::new_v4().simple()));
    let unfinished = PathBuf::from(unfinished);
    let written = write(&unfinished, text).and_then(|()| std::fs::rename(&unfinished, &path));
    if written.is_err() {
        // What could not be written may not be there to be removed either.
        std::fs::remove_file(&unfinished).ok();
    }
    written
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_file_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        for text in ["one", "two"] {
            replace(&path, text).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace(&folder.path().join("absent/f"), "x").is_err());
        assert!(replace(folder.path(), "x").is_err(), "a folder is no file");
        assert_eq!(
            std::fs::read_dir(folder.path().parent().unwrap())
                .unwrap()
                .flatten()
                .filter(|entry| {
                    entry
                        .file_name()
                        .to_string_lossy()
                        .starts_with(&*folder.path().file_name().unwrap().to_string_lossy())
                })
                .count(),
            1
        );
    }
}
