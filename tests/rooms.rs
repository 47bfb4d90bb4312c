//! The structure of the crates: files and folders of a `src` use one another in one direction.

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

/// The text of a file, or of all files of a folder, without those of tests.
fn text(path: &Path) -> String {
    let name = path.file_stem().unwrap().to_str().unwrap();
    if name == "tests" || name.ends_with("_tests") {
        return String::new();
    }
    if path.is_file() {
        return code(&std::fs::read_to_string(path).unwrap());
    }
    std::fs::read_dir(path).unwrap().map(|entry| text(&entry.unwrap().path())).collect()
}

/// The rooms of a crate, each with the other ones that it uses.
fn rooms(name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in std::fs::read_dir(source).unwrap().map(|entry| entry.unwrap().path()) {
        // a folder and the file beside it that names its parts are one room
        let room = path.file_stem().unwrap().to_str().unwrap().to_string();
        rooms.entry(room).or_default().extend(used(&text(&path)));
    }
    let names: BTreeSet<String> = rooms.keys().cloned().collect();
    rooms.iter_mut().for_each(|(room, uses)| uses.retain(|used| used != room && names.contains(used)));
    rooms
}

/// What is left of `rooms` when those that use nobody who is left have gone: circles, and what stands on them.
fn circles(mut rooms: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    while let Some(room) = rooms.keys().find(|&room| rooms[room].is_empty()).cloned() {
        rooms.remove(&room);
        rooms.values_mut().for_each(|uses| uses.retain(|used| *used != room));
    }
    rooms
}

#[test]
fn no_two_rooms_of_a_crate_use_each_other_by_whatever_way() {
    for (name, room, uses) in
        [("at-core", "chip", "propagator"), ("at-gpu", "network", "stage"), ("at-cli", "command", "session")]
    {
        let mut rooms = rooms(name);
        assert!(rooms[room].contains(uses), "nothing is seen of {name}: {rooms:?}");
        let left = circles(rooms.clone());
        assert!(left.is_empty(), "in {name} these use each other, or what does: {left:#?}");
        // and a circle would be seen
        rooms.get_mut(uses).unwrap().insert(room.to_string());
        assert!(circles(rooms).contains_key(room));
    }
}
