use super::*;
use proptest::prelude::*;

/// Unicode normalization as the platform does it.
const UNICODE: Normalize = Normalize {
    composed: |text| {
        icu_normalizer::ComposingNormalizerBorrowed::new_nfc()
            .normalize(text)
            .into_owned()
    },
    decomposed: |text| {
        icu_normalizer::DecomposingNormalizerBorrowed::new_nfd()
            .normalize(text)
            .into_owned()
    },
};

fn name(text: &str) -> Name {
    Name::new(text, UNICODE).unwrap()
}

fn case(text: &str) -> String {
    name(text).case_key(UNICODE)
}

fn search(text: &str) -> String {
    search_key(&case(text), UNICODE)
}

fn words(text: &str) -> Vec<String> {
    let keys = name(text).keys(UNICODE);
    let words = keys.words.or(keys.search).unwrap_or(keys.case);
    words.split_whitespace().map(str::to_owned).collect()
}

/// Whether a search finds a name.
fn finds(search: &str, name: &str) -> bool {
    let words_of_name = words(name);
    let search = SearchWords::new(search, UNICODE).unwrap();
    let begins = |word: &String| words_of_name.iter().any(|found| found.starts_with(word));
    search.words().iter().all(begins)
}

#[test]
fn a_text_that_is_too_long_is_rejected_before_it_is_normalized() {
    let normalize = Normalize {
        composed: |text| {
            assert!(
                text.chars().count() <= 800,
                "the time of normalization is quadratic"
            );
            (UNICODE.composed)(text)
        },
        ..UNICODE
    };
    let too_long = format!("a{}", "\u{301}\u{323}".repeat(400));
    assert_eq!(Name::new(&too_long, normalize), None);
    assert_eq!(Prefix::new(&too_long, normalize), None);
    assert_eq!(SearchWords::new(&too_long, normalize), None);
    // Each of these characters is decomposed into four.
    let longest = "\u{1f82}".repeat(MAX_NAME_CHARACTERS);
    let decomposed = (UNICODE.decomposed)(&longest);
    assert_eq!(decomposed.chars().count(), 800);
    assert_eq!(Name::new(&decomposed, normalize), Some(name(&longest)));
}

#[test]
fn no_character_is_decomposed_into_more_than_the_maximum() {
    let counts = ('\0'..=char::MAX)
        .map(|character| (UNICODE.decomposed)(&character.to_string()).chars().count());
    assert_eq!(counts.max(), Some(MAX_DECOMPOSED_CHARACTERS));
}

/// The oracle is the implementation of the Unicode Consortium.
#[test]
fn case_keys_equal_full_case_folding_of_every_character() {
    let oracle = icu_casemap::CaseMapper::new();
    for character in ('\0'..=char::MAX).filter(|character| !JOINERS.contains(character)) {
        let text = character.to_string();
        let folded = oracle.fold_string(&text);
        let expected = (UNICODE.composed)(&folded);
        let key = case_key(&text, UNICODE);
        assert_eq!(key, expected, "U+{:04X}", u32::from(character));
    }
}

#[test]
fn ignored_marks_are_those_with_a_combining_class_of_ten_or_more() {
    use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;
    let classes = CanonicalCombiningClassMapBorrowed::new();
    for character in '\0'..=char::MAX {
        let class = classes.get_u8(character);
        let is_ignored = marks::is_ignored_mark(character);
        assert_eq!(is_ignored, class >= 10, "U+{:04X}", u32::from(character));
    }
}

#[test]
fn names_that_differ_in_case_have_one_case_key() {
    for (one, other) in [
        ("Más Allá DEL ZUMO", "más allá del zumo"),
        ("Βράχος", "ΒΡΆΧΟΣ"),
        ("ΣΑΣ", "σας"),
        ("H\u{331}", "ẖ"),
        ("J\u{30c}", "ǰ"),
        ("ŉ\u{300}", "ʼǹ"),
        ("STRASSE", "straße"),
        ("STRAẞE", "straße"),
        ("ﬁn", "FIN"),
        ("ᾳ", "ΑΙ"),
        ("K", "k"),
        ("ꭰ", "Ꭰ"),
        ("İ", "i\u{307}"),
        ("ԵՒ", "և"),
    ] {
        assert_eq!(case(one), case(other), "{one} {other}");
    }
    for (one, other) in [("I", "ı"), ("i", "ı"), ("n", "ñ"), ("o", "ö"), ("か", "が")] {
        assert_ne!(case(one), case(other), "{one} {other}");
    }
}

#[test]
fn a_key_of_characters_below_the_first_accent_is_not_normalized() {
    let platform = Normalize {
        composed: |_| "normalized".to_owned(),
        ..UNICODE
    };
    assert_eq!(case_key("ÑANDÚ", platform), "ñandú");
    assert_eq!(case_key("Ñ\u{300}", platform), "normalized");
    assert_eq!(case_key("ñ\u{2ff}", platform), "ñ\u{2ff}");
}

#[test]
fn search_keys_have_no_accents() {
    for (text, key) in [
        ("Ángel Ñandú", "angel nandu"),
        ("Βράχος", "βραχοσ"),
        ("İstanbul", "istanbul"),
        ("Şişli", "sisli"),
        ("مُحَمَّد", "محمد"),
        ("שָׁלוֹם", "שלום"),
        ("ガ行", "ガ行"),
        ("한글", "한글"),
        ("हिन्दी", "हिन्दी"),
        ("\u{300}", "\u{300}"),
    ] {
        assert_eq!(search(text), key, "{text}");
    }
    assert_ne!(search("Iğdır"), search("Igdir"), "ı is not an accented i");
}

/// They are in a table, and need no call of the platform.
#[test]
fn letters_of_latin_1_lose_their_accents_as_in_unicode() {
    let latin_1 = ('\u{80}'..='\u{ff}').map(String::from);
    for text in latin_1.filter(|text| text.to_lowercase() == *text) {
        let mut decomposed = (UNICODE.decomposed)(&text);
        decomposed.retain(|character| !marks::is_ignored_mark(character));
        assert_eq!(search_key(&text, Normalize::NONE), decomposed);
    }
    assert_eq!(search_key("ñandú ø", Normalize::NONE), "nandu ø");
    assert_eq!(search("ñandú č"), "nandu c");
}

#[test]
fn keys_that_are_equal_are_stored_once() {
    let keys = |text| name(text).keys(UNICODE);
    let stored = |text| (keys(text).search, keys(text).words);
    assert_eq!(stored("Ana Ruiz"), (None, None));
    assert_eq!(stored("José Ruiz"), (Some("jose ruiz".to_owned()), None));
    assert_eq!(
        stored("Arya d'Incógnito"),
        (
            Some("arya d'incognito".to_owned()),
            Some("arya d incognito".to_owned())
        )
    );
}

#[test]
fn a_name_is_split_into_words() {
    for (text, expected) in [
        ("Arya d'Incógnito", vec!["arya", "d", "incognito"]),
        ("Arya d’Incógnito", vec!["arya", "d", "incognito"]),
        ("Ana-Lía", vec!["ana", "lia"]),
        ("Qur\u{2bc}an", vec!["qur", "an"]),
        ("Brinden \"El Atún\"", vec!["brinden", "el", "atun"]),
        ("Louis XIV.", vec!["louis", "xiv"]),
        ("暖冬城", vec!["暖冬城", "冬城", "城"]),
        ("東京Tower", vec!["東京", "京", "tower"]),
        ("Valyria 🐉🏔\u{fe0f}", vec!["valyria", "🐉", "🏔"]),
        ("👍🏽👩\u{200d}🚀", vec!["👍", "👩", "🚀"]),
        ("أحمد، علي", vec!["احمد", "علي"]),
        ("می\u{200c}خواهم", vec!["میخواهم"]),
        ("विश्व", vec!["विश्व"]),
        ("---", vec![]),
    ] {
        assert_eq!(words(text), expected, "{text}");
    }
}

#[test]
fn a_search_finds_names_by_the_beginnings_of_words() {
    for (search, text) in [
        ("lamister", "Sensei Lamister"),
        ("LAM sen", "Sensei Lamister"),
        ("joaq", "Joaquín Nevado"),
        ("mas alla", "Más allá del Zumo"),
        ("d'incog", "Arya d'Incógnito"),
        ("incog", "Arya d'Incógnito"),
        ("ana-lia", "Ana-Lía"),
        ("βραχος", "ΒΡΆΧΟΣ"),
        ("βραχ", "Βράχος"),
        ("istan", "İstanbul"),
        ("ığdır", "IĞDıR".replace('I', "ı").as_str()),
        ("محمد", "مُحَمَّد"),
        ("冬城", "暖冬城"),
        ("🐉", "Valyria la Vieja 🐉"),
        ("stras", "Straße"),
        ("ﬁn", "Finn"),
    ] {
        assert!(finds(search, text), "{search} {text}");
    }
    for (search, text) in [
        ("amister", "Sensei Lamister"),
        ("sensei x", "Sensei Lamister"),
        ("ilgaz", "Ilgaz".replace('I', "ı").as_str()),
        ("暖城", "暖冬城"),
        ("か", "が"),
    ] {
        assert!(!finds(search, text), "{search} {text}");
    }
}

#[test]
fn a_long_run_without_spaces_is_split() {
    let text: String = "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往".into();
    let characters: Vec<char> = text.chars().collect();
    for length in 1..=characters.len() {
        let part: String = characters.iter().take(length).collect();
        assert!(finds(&part, &text), "{part}");
        let reversed: String = part.chars().rev().collect();
        assert_eq!(finds(&reversed, &text), length == 1, "{reversed}");
    }
}

#[test]
fn a_search_without_words_or_with_too_many_is_rejected() {
    let ten = "a b c d e f g h i j";
    assert!(SearchWords::new(ten, UNICODE).is_some());
    for rejected in [
        "",
        " ",
        "-",
        "\u{200d}",
        "a\nb",
        &format!("{ten} k"),
        &"a".repeat(201),
    ] {
        assert_eq!(SearchWords::new(rejected, UNICODE), None, "{rejected:?}");
    }
}

#[test]
fn a_search_for_a_sign_that_belongs_to_no_word_finds_nothing() {
    for sign in ["¿", "·", "\u{301}", "\u{5b0} ", "\u{fe0f}", "¿¡«»·°±§¶¬¦"] {
        assert_eq!(
            SearchWords::new(sign, UNICODE).unwrap().words().len(),
            1,
            "{sign}"
        );
        assert!(!finds(sign, &format!("Ana {sign} Ruiz")), "{sign}");
    }
    assert!(finds("¿ana?", "¿Ana?"));
}

#[test]
fn a_name_is_trimmed_and_normalized() {
    let name = |text: &str| Name::new(text, UNICODE).map(|name| name.as_str().to_owned());
    assert_eq!(name("\u{a0} An\u{303}o \n").as_deref(), Some("Año"));
    assert_eq!(name(&"n\u{303}".repeat(200)), Some("ñ".repeat(200)));
}

#[test]
fn an_empty_or_too_long_name_or_one_with_control_characters_is_rejected() {
    for rejected in [
        "",
        " \t\u{3000}",
        "a\0b",
        "a\nb",
        "a\u{85}b",
        &"ñ".repeat(201),
    ] {
        assert_eq!(Name::new(rejected, UNICODE), None, "{rejected:?}");
    }
}

#[test]
fn a_name_that_starts_with_an_invisible_character_is_rejected() {
    for rejected in [
        "\u{feff}",
        "\u{200b}\u{200d}",
        " \u{ad} ",
        "\u{202e}anA",
        "\u{fe0f}",
        "\u{e0041}",
    ] {
        assert_eq!(Name::new(rejected, UNICODE), None, "{rejected:?}");
    }
    for accepted in ["\u{1f3d4}\u{fe0f}", "\u{300}", "👨\u{200d}👩"] {
        assert!(Name::new(accepted, UNICODE).is_some(), "{accepted:?}");
    }
}

#[test]
fn a_prefix_has_the_same_limits_as_a_name() {
    let prefix = |text: &str| Prefix::new(text, UNICODE);
    assert_eq!(prefix(""), None);
    assert_eq!(prefix("a\nb"), None);
    assert_eq!(prefix(&"ñ".repeat(201)), None);
    assert!(prefix(&"ñ".repeat(200)).is_some());
    assert!(prefix(&"n\u{303}".repeat(200)).is_some());
}

#[test]
fn a_prefix_is_normalized_like_a_name() {
    let prefix = |text: &str| Prefix::new(text, UNICODE).unwrap();
    assert!(case("Ñandú").starts_with(prefix("n\u{303}an").case_key()));
    assert_eq!(prefix("n\u{303}AN").search_key(), "nan");
    assert_eq!(prefix("Ana ").case_key(), "ana ");
    assert_eq!(prefix("\u{301}").search_key(), "");
}

#[test]
fn a_name_with_a_zero_width_or_bidirectional_control_character_is_rejected() {
    for character in [
        '\u{ad}',
        '\u{61c}',
        '\u{180e}',
        '\u{200b}',
        '\u{200e}',
        '\u{200f}',
        '\u{202a}',
        '\u{202e}',
        '\u{2060}',
        '\u{2066}',
        '\u{2069}',
        '\u{feff}',
        '\u{e0041}',
    ] {
        let name = format!("An{character}a");
        assert_eq!(Name::new(&name, UNICODE), None, "{name:?}");
        assert_eq!(Prefix::new(&name, UNICODE), None, "{name:?}");
    }
}

#[test]
fn a_joiner_is_accepted_between_letters_and_is_not_part_of_the_key() {
    for accepted in [
        "می\u{200c}خواهم",
        "क्\u{200d}ष",
        "👩\u{200d}❤\u{fe0f}\u{200d}👨",
        "A\u{200d}na",
    ] {
        let name = Name::new(accepted, UNICODE);
        assert_eq!(
            name.as_ref().map(Name::as_str),
            Some(accepted),
            "{accepted:?}"
        );
        assert_eq!(case(accepted), case(&accepted.replace(JOINERS, "")));
    }
    for rejected in [
        "Ana\u{200d}",
        "\u{200c}Ana",
        "Ana \u{200d}Ruiz",
        "Ana\u{200c} Ruiz",
        "A\u{200c}\u{200d}na",
        "A\u{200d}1",
        "A.\u{200d}na",
    ] {
        assert_eq!(Name::new(rejected, UNICODE), None, "{rejected:?}");
    }
    assert_eq!(Prefix::new("\u{200d}", UNICODE), None);
    assert_eq!(Prefix::new("A\u{200d}", UNICODE).unwrap().case_key(), "a");
}

proptest! {
    #[test]
    fn a_case_key_is_the_key_of_itself(text in "\\PC{1,200}") {
        if let Some(name) = Name::new(&text, UNICODE) {
            let key = name.case_key(UNICODE);
            prop_assert_eq!(case_key(&key, UNICODE), key.clone());
            let search = search_key(&key, UNICODE);
            prop_assert_eq!(search_key(&search, UNICODE), search.clone());
            prop_assert!(!search.is_empty());
        }
    }

    #[test]
    fn upper_and_lower_case_have_one_key(text in "\\PC{1,40}") {
        // These letters have no upper case that lower case turns back.
        if let Some(name) = Name::new(&text.replace(['ı', 'İ'], ""), UNICODE) {
            let upper = name.as_str().to_uppercase();
            let upper = case_key(&(UNICODE.composed)(&upper), UNICODE);
            prop_assert_eq!(name.case_key(UNICODE), upper);
        }
    }

    /// Without normalization, which joins the letters and accents on both sides of the cut.
    #[test]
    fn the_key_of_a_prefix_is_a_prefix_of_the_key(start in "\\PC*", rest in "\\PC*") {
        let whole = case_key(&format!("{start}{rest}"), Normalize::NONE);
        prop_assert!(whole.starts_with(&case_key(&start, Normalize::NONE)));
    }

    #[test]
    fn a_name_is_found_by_each_of_its_words(text in "\\PC{1,60}") {
        if let Some(name) = Name::new(&text, UNICODE) {
            for word in words(name.as_str()) {
                prop_assert!(finds(&word, name.as_str()), "{}", word);
            }
        }
    }
}
