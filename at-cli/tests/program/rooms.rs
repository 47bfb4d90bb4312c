//! The program's own structure: files and folders of `src` use one another in one direction.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is left of a source file without comments and its tests.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    before_tests.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The rooms that follow on `crate::`: one word, or the first words of a list in braces.
fn used(code: &str) -> BTreeSet<String> {
    let word =
        |text: &str| text.trim_start().chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect::<String>();
    let mut rooms = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        let Some(list) = after.strip_prefix('{') else {
            rooms.insert(word(after));
            continue;
        };
        let (mut depth, mut begins) = (0, true);
        for (place, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                c if begins && c.is_alphanumeric() => {
                    rooms.insert(word(&list[place..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    rooms
}

/// The text of a file, or of all files of a folder.
fn text(path: &Path) -> String {
    if path.is_file() {
        return code(&std::fs::read_to_string(path).unwrap());
    }
    std::fs::read_dir(path).unwrap().map(|entry| text(&entry.unwrap().path())).collect()
}

#[test]
fn no_two_rooms_of_the_program_use_each_other_by_whatever_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let entries = std::fs::read_dir(source).unwrap().map(|entry| entry.unwrap().path());
    let mut rooms: BTreeMap<String, BTreeSet<String>> =
        entries.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_string(), used(&text(&path)))).collect();
    assert!(rooms["trial"].contains("plan") && rooms["command"].contains("session"), "nothing is seen: {rooms:?}");
    let names: BTreeSet<String> = rooms.keys().cloned().collect();
    rooms.iter_mut().for_each(|(room, uses)| uses.retain(|used| used != room && names.contains(used)));
    // those that use nobody who is left can go; a circle stays
    while let Some(room) = rooms.keys().find(|&room| rooms[room].is_empty()).cloned() {
        rooms.remove(&room);
        rooms.values_mut().for_each(|uses| uses.retain(|used| *used != room));
    }
    assert!(rooms.is_empty(), "these use each other, or what does: {rooms:#?}");
}
