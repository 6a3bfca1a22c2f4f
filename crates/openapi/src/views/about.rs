//! The schemas of the dataset, the OpenAPI document and the health checks.

use std::collections::BTreeMap;

schemas! {
    /// A description of this dataset.
    struct Dataset {
        #[schema(required = true)]
        title: Option<String>,
        #[schema(required = true)]
        description: Option<String>,
        #[schema(required = true)]
        licence: Option<String>,
        /// All paths.
        routes: Vec<String>,
    }

    /// An OpenAPI 3.1 document.
    struct Document {
        openapi: String,
        #[schema(value_type = Object)]
        info: serde_json::Value,
        #[schema(value_type = Object)]
        paths: serde_json::Value,
    }

    /// A worker that is running.
    struct Alive {
        status: LifeSign,
    }

    /// A worker that is ready.
    #[expect(clippy::zero_sized_map_values, reason = "the map is the shape of the JSON")]
    struct Ready {
        status: Readiness,
        /// The state of each dependency, by name.
        checks: BTreeMap<String, Readiness>,
        /// The size of each database, only for a token of the scope `admin`.
        databases?: BTreeMap<String, DatabaseSize>,
        /// The settings to correct, only for a token of the scope `admin`. Absent if all are valid.
        invalid_settings?: Vec<InvalidSetting>,
    }

    /// A setting of a worker that is invalid.
    struct InvalidSetting {
        /// The service. Absent for the one that responds.
        service?: String,
        /// How to correct the setting.
        detail: String,
    }

    /// The size of a database.
    struct DatabaseSize {
        /// Its size now.
        bytes: i64,
        /// The largest size on the Paid plan.
        max_bytes: i64,
    }
}

schemas! {
    #[serde(rename_all = "lowercase")]
    enum LifeSign { Alive, }

    #[serde(rename_all = "lowercase")]
    enum Readiness { Ready, }
}
