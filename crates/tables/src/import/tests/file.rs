//! The rules of the syntax of files.

use super::*;
use crate::schema::PLACE;

/// A member of the problem of a file that is rejected.
fn rejection(format: FileFormat, body: &[u8], member: &str) -> Value {
    let problem = ImportFile::open(format, body.into(), &PERSON).unwrap_err();
    let mut problem: Value = serde_json::from_str(&problem.to_json()).unwrap();
    problem[member].take()
}

/// The lines on which the records of a file begin.
fn lines(format: FileFormat, body: &str) -> Vec<usize> {
    let file = open(format, body);
    let mut lines = Vec::new();
    let mut position = file.start();
    while let Some(begin) = file.begin(position) {
        lines.push(begin.line);
        position = file.end(begin).unwrap();
    }
    lines
}

#[test]
fn a_file_has_the_format_of_its_media_type() {
    let formats = FileFormat::MEDIA_TYPES.map(FileFormat::from_media_type);
    let expected = [FileFormat::Csv, FileFormat::NdJson, FileFormat::Array];
    assert_eq!(formats, expected);
}

#[test]
fn a_cell_is_a_boolean_if_it_is_one_of_the_known_words_in_any_case() {
    let known = |text: &str| match text {
        "true" | "TRUE" | " yes " | "1" | "Sí" | "verdadero" => json!(true),
        "false" | "No" | "0" | "FALSCH" | "não" => json!(false),
        "" => Value::Null,
        other => json!(other),
    };
    for cell in [
        "true",
        "TRUE",
        " yes ",
        "1",
        "Sí",
        "verdadero",
        "false",
        "No",
        "0",
        "FALSCH",
        "não",
        "",
        "2",
        "y",
        "truefalse",
    ] {
        let file = open(FileFormat::Csv, &format!("name,isAlive\na,{cell}\n"));
        let begin = file.begin(file.start()).unwrap();
        let object = file.object(begin, file.end(begin).unwrap()).unwrap();
        assert_eq!(object.0["isAlive"], known(cell), "{cell}");
    }
}

#[test]
fn a_file_in_another_encoding_is_rejected_with_its_name() {
    for utf_16 in [&b"\xff\xfea"[..], b"\xfe\xffa", b"n\0a\0"] {
        let encoding = rejection(FileFormat::Csv, utf_16, "encoding");
        assert_eq!(encoding, "UTF-16", "{utf_16:?}");
    }
    let latin_1 = b"name\na\n\xf1u\n";
    let encoding = rejection(FileFormat::Csv, latin_1, "encoding");
    assert!(encoding.as_str().unwrap().starts_with("Latin-1"));
    assert_eq!(rejection(FileFormat::Csv, latin_1, "line"), 3);
    // A null character in a name is no encoding. The record of the name is rejected later.
    open(FileFormat::Csv, "name\nA\0ria\n");
}

#[test]
fn a_column_that_is_unknown_or_repeated_is_rejected_with_its_number() {
    for (header, column) in [("shoe", 1), ("name,shoe", 2), ("id,name,Name", 3)] {
        let found = rejection(FileFormat::Csv, header.as_bytes(), "column");
        assert_eq!(found, column, "{header}");
    }
}

#[test]
fn a_problem_shows_the_beginning_of_a_long_column() {
    let header = "ñ".repeat(1_000_000);
    let detail = rejection(FileFormat::Csv, header.as_bytes(), "detail");
    let shown = format!("the column `{}…` is unknown", "ñ".repeat(40));
    assert!(detail.as_str().unwrap().contains(&shown), "{detail}");
}

#[test]
fn a_json_record_has_at_most_64_kib() {
    let object = |length: usize| {
        let text = format!(r#"{{"name":"{}"}}"#, "x".repeat(length - 11));
        let file = open(FileFormat::NdJson, &text);
        let begin = file.start();
        file.object(begin, file.end(begin).unwrap())
    };
    assert!(object(64 * 1024).is_ok());
    let error = object(64 * 1024 + 1).unwrap_err();
    assert_eq!(error.detail, "a record of at most 64 KiB");
}

#[test]
fn empty_columns_after_the_last_one_of_a_header_are_ignored() {
    let file = open(
        FileFormat::Csv,
        "name;isAlive;;\na;true;; \nb;true;;x\nc;true\n",
    );
    let mut position = file.start();
    let mut results = Vec::new();
    while let Some(begin) = file.begin(position) {
        position = file.end(begin).unwrap();
        let object = file.object(begin, position);
        results.push(object.map_err(|error| error.detail));
    }
    let accepted = json!({"name": "a", "isAlive": true});
    assert_eq!(
        results[0].as_ref().unwrap().0,
        *accepted.as_object().unwrap()
    );
    for (result, reason) in results[1..]
        .iter()
        .zip(["a column with a name", "as many cells"])
    {
        let detail = result.as_ref().unwrap_err();
        assert!(detail.contains(reason), "{detail}");
    }
}

#[test]
fn a_record_without_an_end_is_rejected_with_its_line() {
    for (format, body, line) in [
        (FileFormat::Csv, "name\na\n\"b\n", 3),
        (FileFormat::NdJson, "{}\n\n{\n", 3),
        (FileFormat::Array, "[{},\n{}", 2),
    ] {
        assert_eq!(rejection(format, body.as_bytes(), "line"), line, "{body}");
    }
}

#[test]
fn a_file_with_too_many_records_is_rejected() {
    let body = "0\n".repeat(MAX_FILE_RECORDS + 1);
    let limit = rejection(FileFormat::NdJson, body.as_bytes(), "limit");
    assert_eq!(limit, MAX_FILE_RECORDS);
}

#[test]
fn the_last_line_of_an_export_is_no_record() {
    for (format, body, expected) in [
        (
            FileFormat::Csv,
            "id,name\n1,a\n#complete\r\n2,b\n\"#incomplete: /x\"\n",
            vec![2, 4],
        ),
        (
            FileFormat::Csv,
            "id,name\n#complete\n#complete\n1,a",
            vec![4],
        ),
        // No export has one column.
        (FileFormat::Csv, "name\n#complete\na", vec![2, 3]),
        (
            FileFormat::NdJson,
            "{}\n{\"complete\":false,\"next\":\"/x\"}\n{}\n{\"complete\":true}",
            vec![1, 3],
        ),
        (FileFormat::Array, "[\n{\"complete\":true}]", vec![2]),
    ] {
        assert_eq!(lines(format, body), expected, "{body}");
    }
}

#[test]
fn the_last_line_of_an_export_may_have_empty_cells_and_quotes_of_a_spreadsheet() {
    for end in [
        "#complete,,",
        "#complete, ,",
        "\"#complete\",\"\",\"\"\r",
        "\"#complete\"",
        "#incomplete: /v1/people/export?after=69,,",
        "\"#incomplete: /v1/people/export?name=a,b&after=69\",,",
    ] {
        for separator in [",", ";", "\t"] {
            let body = format!("id,name,isAlive\n1,a,true\n{end}\n2,b,true\n{end}");
            let body = if end.contains("a,b") {
                body
            } else {
                body.replace(',', separator)
            };
            assert_eq!(lines(FileFormat::Csv, &body), [2, 4], "{body}");
        }
    }
    // The columns in another order.
    let body = "name,id\na,1\n,#complete\n";
    assert_eq!(lines(FileFormat::Csv, body), [2]);
}

#[test]
fn a_record_that_resembles_the_last_line_of_an_export_is_kept() {
    for record in [
        "name,isAlive\n#complete,",
        "name,isAlive\n\"#complete\",\"\"",
        "name,isAlive\n\"#incomplete: x\",true",
        "name,id\n#complete,",
        "id,name\n#complete,a",
        "id,name\n\"#incomplete: x\",a",
        "id,name\n#completely,",
        "id,name\n,#complete",
        "id,name\n,\"a\n#complete\"",
        "id,name\n,",
    ] {
        assert_eq!(lines(FileFormat::Csv, record), [2], "{record}");
    }
}

#[test]
fn a_csv_file_that_cannot_be_split_into_records_is_rejected_with_the_reason() {
    for (file, reason) in [
        ("", "at line 1, the header is missing."),
        ("\u{feff}\n", "at line 1, the header is missing."),
        (",,\n1,A,\n", "at line 1, the header is missing."),
        ("id,,name\n1,,A\n", "at line 1, the column 2 has no name."),
        (
            "id,Nombre\n1,A\n",
            "at line 1, the column `Nombre` is unknown.",
        ),
        (
            "name,NAME\nA,B\n",
            "at line 1, the column `NAME` is there twice.",
        ),
        (
            "name\nA\nB \"C\"\n",
            "at line 3, a quotation mark is in the wrong place.",
        ),
        (
            "name\n\"A\nB\n",
            "at line 2, a quotation mark is in the wrong place.",
        ),
    ] {
        let opened = ImportFile::open(FileFormat::Csv, file.into(), &PLACE);
        let detail = opened.unwrap_err().detail().to_owned();
        assert!(detail.contains(reason), "{detail}");
    }
}
