//! Columns and filters.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// A whole number from 1 to 2^53 - 1.
    Integer,
    /// A text of so many characters at most, without control characters.
    Text(usize),
    /// 0 or 1; `true` or `false` in JSON and CSV.
    Boolean,
}

/// What a client may do with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The id: chosen when the record is created, or the next one.
    Id,
    /// A client reads and changes it.
    ReadWrite,
    /// The worker computes it from other columns. No client sees it.
    Internal,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The name in SQL.
    pub name: &'static str,
    /// The name in JSON and CSV.
    pub json: &'static str,
    /// What it holds.
    pub column_type: ColumnType,
    /// Whether it may be null.
    pub is_nullable: bool,
    /// What a client may do with it.
    pub access: Access,
    /// Whether the change log has it.
    pub is_logged: bool,
}

impl Column {
    /// The id of the record.
    #[must_use]
    pub const fn id() -> Self {
        Self {
            access: Access::Id,
            ..Self::new("id", "id", ColumnType::Integer)
        }
    }

    /// A column that clients read and change, logged and not null.
    #[must_use]
    pub const fn new(name: &'static str, json: &'static str, column_type: ColumnType) -> Self {
        Self {
            name,
            json,
            column_type,
            is_nullable: false,
            access: Access::ReadWrite,
            is_logged: true,
        }
    }

    /// The same, and it may be null.
    #[must_use]
    pub const fn nullable(self) -> Self {
        Self {
            is_nullable: true,
            ..self
        }
    }

    /// The same, and no client and no log has it.
    #[must_use]
    pub const fn internal(self) -> Self {
        Self {
            access: Access::Internal,
            is_logged: false,
            ..self
        }
    }

    /// Whether clients see it.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        self.access != Access::Internal
    }

    /// The most bytes of a value with its name, in JSON or CSV.
    pub(super) fn max_bytes(&self) -> i64 {
        let value = match self.column_type {
            ColumnType::Integer => 16,
            ColumnType::Boolean => 5,
            // Four bytes per character. A quote takes two bytes, and CSV adds an apostrophe.
            ColumnType::Text(characters) => {
                3 + 4 * i64::try_from(characters).unwrap_or(i64::MAX / 8)
            }
        };
        let name = i64::try_from(self.json.len()).unwrap_or_default();
        // Quotes, a colon and a comma or a brace.
        value + name + 4
    }
}

/// A filter of lists and exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// The name of the query parameter.
    pub name: &'static str,
    /// How its value matches records.
    pub kind: FilterKind,
}

/// How the value of a filter matches records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterKind {
    /// The column equals the id.
    Id(&'static str),
    /// The column equals `true` or `false`. The value is in the text of the statement, so that
    /// SQLite can choose partial indexes.
    Boolean(&'static str),
    /// The name begins with the text, whatever its case.
    NamePrefix,
    /// The id is one of these.
    Ids,
}

impl Filter {
    /// A filter.
    #[must_use]
    pub const fn new(name: &'static str, kind: FilterKind) -> Self {
        Self { name, kind }
    }
}
