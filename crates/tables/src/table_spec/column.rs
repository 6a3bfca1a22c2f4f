//! The types with which columns and filters are declared.

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// A whole number from 1 to 2^53 - 1.
    Integer,
    /// A text with a maximum number of characters, without control characters.
    Text(usize),
    /// 0 or 1; `true` or `false` in JSON and CSV.
    Boolean,
}

/// The access of clients to a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The id: assigned, or chosen by the client, when the record is created. It never changes.
    Id,
    /// Clients read and change it.
    ReadWrite,
    /// The worker computes it from other columns, and clients never see it.
    Internal,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The name in SQL.
    pub name: &'static str,
    /// The name in JSON and CSV.
    pub json: &'static str,
    /// The type.
    pub column_type: ColumnType,
    /// Whether it may be null.
    pub is_nullable: bool,
    /// The access of clients.
    pub access: Access,
    /// Whether the change log contains it.
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

    /// A column that clients read and change. It is logged and not nullable.
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

    /// Makes the column nullable.
    #[must_use]
    pub const fn nullable(self) -> Self {
        Self {
            is_nullable: true,
            ..self
        }
    }

    /// Makes the column internal: neither clients nor, by default, the change log have it.
    #[must_use]
    pub const fn internal(self) -> Self {
        Self {
            access: Access::Internal,
            is_logged: false,
            ..self
        }
    }

    /// Adds the column to the change log.
    #[must_use]
    pub const fn logged(self) -> Self {
        Self {
            is_logged: true,
            ..self
        }
    }

    /// Whether clients see it.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        self.access != Access::Internal
    }

    /// The maximum size of a value with its name, in JSON or CSV.
    pub(super) fn max_bytes(&self) -> i64 {
        let value = match self.column_type {
            ColumnType::Integer => 16,
            ColumnType::Boolean => 5,
            // At most four bytes per character (an escaped quote has two), two quotes, and the
            // apostrophe of CSV.
            ColumnType::Text(characters) => {
                3 + 4 * i64::try_from(characters).unwrap_or(i64::MAX / 8)
            }
        };
        let name = i64::try_from(self.json.len()).unwrap_or_default();
        // Two quotes, a colon, and a comma or a brace.
        value + name + 4
    }
}

/// A filter of lists and exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// The name of the query parameter.
    pub name: &'static str,
    /// The condition.
    pub kind: FilterKind,
}

/// The condition of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterKind {
    /// The column is one of the places, or null.
    Place(&'static str),
    /// A column equals the boolean.
    Boolean(BooleanFilter),
    /// The name begins with the text, ignoring case.
    NamePrefix,
    /// Each word of the text is the beginning of a word of the name.
    Words,
    /// The id is in the list.
    Ids,
}

/// A filter by a boolean column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BooleanFilter {
    /// The column.
    pub column: &'static str,
    /// The expression of the search index for the rows where it is true.
    pub search_true: &'static str,
    /// The same for the rows where it is false.
    pub search_false: &'static str,
    /// Whether a partial index has the rows where it is true, in order of name.
    pub has_index: bool,
}

impl Filter {
    /// A filter.
    #[must_use]
    pub const fn new(name: &'static str, kind: FilterKind) -> Self {
        Self { name, kind }
    }
}
