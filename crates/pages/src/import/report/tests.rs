//! Tests the report of an import.

use super::*;

const BATCH: &str = r#"{"firstLine":2,"lastLine":3,"records":2,"outcome":"refused","created":0,"updated":0,"unchanged":0,"refused":[{"line":3,"problem":{"type":"/problems/other","title":"T","status":409,"detail":"D <9>"}}]}"#;
const TOTALS: &str = r#"{"dryRun":true,"read":2,"created":0,"updated":0,"unchanged":0,"alreadyWritten":0,"refusedTotal":1}"#;

#[test]
fn a_report_is_the_same_for_every_size_of_chunk() {
    let mut report = Report::new(
        Form::parse(b"dryRun=true&collection=people"),
        "name;id\n<b>;2\n".repeat(5).as_bytes(),
    );
    let response = format!("{BATCH}\n{TOTALS}\n");
    let mut page = report.start();
    for chunk in response.as_bytes().chunks(7) {
        page.push_str(&report.push(chunk));
    }
    page.push_str(&report.end(Some("name\n<a>")));
    assert!(page.contains(r#"<progress max="10" value="3" aria-label="Lines read">"#));
    assert!(page.contains(r#"<th scope="col">name</th><th scope="col">id</th>"#));
    assert!(page.contains("<td>&lt;b&gt;</td><td>2</td>"));
    assert!(page.contains(" of 10: some are invalid"));
    assert!(page.contains("D &lt;9&gt;") && page.contains("<dt>invalid</dt><dd>1</dd>"));
    assert!(page.contains("Nothing was changed") && page.contains("name\n&lt;a&gt;"));
    assert!(!page.contains("name=\"dryRun\" value=\"false\""));
    assert!(page.ends_with("</body></html>"));
}

#[test]
fn a_file_that_was_imported_before_can_be_imported_again() {
    let totals = TOTALS.replace(r#""alreadyWritten":0"#, r#""alreadyWritten":2"#);
    let page = |totals: &str, file: Option<&str>| {
        let mut form = Form::parse(b"dryRun=false&collection=people");
        form.set("nextKey", "k");
        let mut report = Report::new(form, b"name\na\n");
        let _ = report.push(format!("{totals}\n").as_bytes());
        report.end(file)
    };
    let button = r#"name="nextKey" value="k">Import again"#;
    let with_file = page(&totals, Some("name\na"));
    assert!(with_file.contains(button) && with_file.contains("choose “Import again”"));
    let without_file = page(&totals, None);
    assert!(!without_file.contains(button) && without_file.contains(AGAIN));
    for file in [Some("name\na"), None] {
        assert!(!page(TOTALS, file).contains("again."));
    }
}

#[test]
fn the_totals_of_an_import_in_several_requests_are_added() {
    let mut report = Report::new(Form::parse(b"dryRun=false"), b"name\nA\nB\nC\n");
    report.push(
        concat!(
            r#"{"firstLine":2,"lastLine":3,"records":2,"outcome":"written","created":2}"#,
            "\n",
            r#"{"firstLine":4,"lastLine":4,"records":1,"outcome":"failed","problem":{"type":"/problems/call-limit-reached","title":"T","status":422,"detail":"D"}}"#,
            "\n",
            r#"{"read":3,"created":2,"next":2}"#,
            "\n",
        )
        .as_bytes(),
    );
    assert_eq!(report.continue_after(), Some(2));
    assert!(report.end(None).contains("The import was interrupted."));
    report.push(b"{\"read\":1,\"created\":1}\n");
    assert_eq!(report.continue_after(), None);
    let end = report.end(None);
    for total in ["<dt>read</dt><dd>3</dd>", "<dt>added</dt><dd>3</dd>"] {
        assert!(end.contains(total), "{end}");
    }
    assert!(!end.contains("stopped"), "{end}");
    report.push(b"{\"read\":1,\"created\":0,\"next\":2}\n");
    assert_eq!(report.continue_after(), None, "no record was imported");
}

#[test]
fn the_choices_of_the_form_are_those_of_the_next_step() {
    let page = |form: &[u8]| {
        let mut report = Report::new(Form::parse(form), b"id,place\n1,A\n");
        let totals = TOTALS.replace(r#""read":2"#, r#""read":2,"placesCreated":3"#);
        let _ = report.push(format!("{totals}\n").as_bytes());
        report.end(Some("id,place\n1,A"))
    };
    let chosen = page(b"mode=patch&createPlaces=on&skipInvalid=on&collection=people");
    for part in [
        r#"name="mode" value="patch""#,
        r#"name="skipInvalid" value="on""#,
        r#"name="createPlaces" type="checkbox" value="on" checked"#,
        "<dt>places would be added</dt><dd>3</dd>",
    ] {
        assert!(chosen.contains(part), "{part}: {chosen}");
    }
    let plain = page(b"collection=places");
    assert!(!plain.contains("name=\"mode\"") && !plain.contains("createPlaces"));
}

#[test]
fn a_check_with_invalid_lines_offers_to_import_the_others() {
    let page = |form: &[u8]| {
        let mut report = Report::new(Form::parse(form), b"name\na\n");
        let _ = report.push(format!("{BATCH}\n{TOTALS}\n").as_bytes());
        report.end(Some("name\na"))
    };
    let button = r#"name="importValid" value="on">Import the valid line<"#;
    assert!(page(b"dryRun=true").contains(button));
    assert!(!page(b"dryRun=false").contains(button));
    let skipped = page(b"dryRun=true&skipInvalid=on");
    assert!(!skipped.contains(button) && skipped.contains("These lines would be left out."));
    assert!(skipped.contains(r#"<input type="hidden" name="skipInvalid" value="on">"#));
    assert!(page(b"dryRun=false&skipInvalid=on").contains("These lines were left out."));
}

#[test]
fn a_record_of_a_json_array_is_named_by_its_number() {
    let batch = BATCH.replace(r#""line":3"#, r#""line":1,"index":2"#);
    let mut report = Report::new(Form::parse(b"dryRun=true"), b"name\na\n");
    let _ = report.push(format!("{batch}\n{TOTALS}\n").as_bytes());
    assert!(
        report
            .end(None)
            .contains(r#"<th scope="row">1, record 3</th>"#)
    );
}

#[test]
fn an_interrupted_response_is_reported() {
    let mut report = Report::new(Form::parse(b"dryRun=false"), b"");
    let _ = report.push(BATCH.as_bytes());
    assert!(report.end(None).contains("The import was interrupted."));
}

/// A report of a file, with lines of a response.
fn ended(form: &[u8], file: &str, response: &[&str], shown: Option<&str>) -> String {
    let mut report = Report::new(Form::parse(form), file.as_bytes());
    let mut page = report.start();
    page.push_str(&report.push(format!("{}\n", response.join("\n")).as_bytes()));
    page.push_str(&report.end(shown));
    page
}

const BATCHES: [&str; 4] = [
    r#"{"firstLine":2,"lastLine":10001,"records":10000,"outcome":"written","created":10000}"#,
    r#"{"firstLine":10002,"lastLine":20001,"records":10000,"outcome":"refused","refused":[{"line":15002,"problem":{"type":"/problems/other","title":"T","status":409,"detail":"D"}}]}"#,
    r#"{"firstLine":20002,"lastLine":30001,"records":10000,"outcome":"written","created":10000}"#,
    r#"{"read":30000,"created":20000,"refusedTotal":1}"#,
];

#[test]
fn the_valid_lines_of_a_batch_that_is_not_imported_are_counted_and_named() {
    let file = "name,isAlive\n".to_owned() + &"a,no\n".repeat(30_000);
    let page = ended(b"dryRun=false", &file, &BATCHES, None);
    for part in [
        "<dt>valid but not imported</dt><dd>9,999</dd>",
        "9,999 valid lines were not imported, because a batch with an invalid line is not imported at all: lines 10,002 to 20,001. Fix the invalid lines and import the file again",
        "<li class=\"refused\"><progress max=\"30001\" value=\"20001\"",
        "> All 30,001 lines read</li></ol>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let check = BATCHES.map(|line| line.replace("\"written\"", "\"would be written\""));
    let check = check.each_ref().map(String::as_str);
    let page = ended(b"dryRun=true", &file, &check, Some(""));
    for part in [
        "9,999 valid lines would not be imported, because",
        "<dt>valid but would not be imported</dt>",
        "value=\"on\">Import the 29,999 valid lines</button>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let skipped = ended(
        b"dryRun=false",
        &file,
        &[BATCHES[0], r#"{"read":10000,"created":10000}"#],
        None,
    );
    assert!(
        !skipped.contains("valid but") && !skipped.contains("class=\"notice"),
        "{skipped}"
    );
}

#[test]
fn people_who_are_recorded_as_dead_without_saying_so_are_counted() {
    let totals = r#"{"read":2,"created":2}"#;
    let page = |form: &[u8], file: &str| ended(form, file, &[totals], Some(""));
    let check = page(b"dryRun=true&collection=people", "name,place\na,b\nc,d\n");
    let text = "The file has no column isAlive: 2 people would be recorded as dead.";
    assert!(check.contains(text), "{check}");
    let upsert = page(b"dryRun=false&mode=upsert", "id,isAlive\n1,\n2,yes\n");
    for part in [
        "The column isAlive is empty or missing in some lines: 1 person is recorded as dead.",
        "To keep what the file does not have, choose “Changes given columns by id”.",
    ] {
        assert!(upsert.contains(part), "{part}: {upsert}");
    }
    for (form, file) in [
        (&b"collection=places"[..], "name\na\nb\n"),
        (b"mode=patch", "id,place\n1,a\n2,b\n"),
        (b"", "name,isAlive\na,no\nb,no\n"),
    ] {
        assert!(!page(form, file).contains("recorded as dead"), "{file}");
    }
}

#[test]
fn a_check_of_a_large_file_leads_to_the_form_with_the_same_choices() {
    let totals = r#"{"read":2,"created":2}"#;
    let form = b"dryRun=true&collection=people&createPlaces=on";
    let page = ended(form, "name\na\nb\n", &[totals], None);
    assert!(page.contains(
        r#"href="/ui/import?collection=people&amp;createPlaces=on">Choose the file again</a>"#
    ));
    let imported = ended(b"dryRun=false", "name\na\nb\n", &[totals], None);
    assert!(!imported.contains("Choose the file again"));
}

#[test]
fn a_file_without_lines_cannot_be_imported() {
    let page = ended(b"dryRun=true", "name\n", &[r#"{"read":0}"#], Some("name\n"));
    assert!(page.contains("The file has no lines to import.") && !page.contains("Import file"));
}

#[test]
fn an_invalid_line_names_the_column_of_the_file() {
    let batch = BATCH.replace(
        r#""detail":"D <9>""#,
        r#""detail":"D","errors":[{"pointer":"/placeId","detail":"one, because a living person needs it"}]"#,
    );
    for (header, column) in [("name,place", "place"), ("name,placeid", "placeId")] {
        let page = ended(b"", &format!("{header}\na,b\n"), &[&batch, TOTALS], None);
        assert!(
            page.contains(&format!("<td>{column}: A living person")),
            "{page}"
        );
    }
}
