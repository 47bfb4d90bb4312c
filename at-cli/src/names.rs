//! Unknown words in messages: the nearest known one.

/// `unknown method "att"; did you mean at? Known: at, ideal`.
pub fn unknown<'a>(what: &str, word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let hint = match nearest(word, known.iter().copied()) {
        Some(name) => format!("did you mean {name}? "),
        None => String::new(),
    };
    format!("unknown {what} {word:?}; {hint}known: {}", known.join(", "))
}

/// The known word that a typing error turned into `word`, if one is near enough.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .min_by_key(|&(edits, _)| edits)
        .filter(|&(edits, name)| edits <= 1 + name.len() / 3)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_word_and_nonsense_finds_none() {
        let known = ["epochs", "batch-size", "learning-rate"];
        for (word, name) in [("epoch", "epochs"), ("learning_rate", "learning-rate"), ("bacth-size", "batch-size")] {
            assert_eq!(nearest(word, known), Some(name));
        }
        assert_eq!(nearest("wavelength", known), None);
    }
}
