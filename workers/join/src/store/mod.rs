//! The SQL statements of the gateway's database.

pub mod erasure;
pub mod snapshot;

use tables::statement::Statement;

const DATASET: &str = r"
SELECT json_object(
  'title', title,
  'description', description,
  'licence', licence,
  'routes', json_array(
    '/v1/openapi.json', '/v1/healthz', '/v1/readyz',
    '/v1/people-per-place', '/v1/people-per-place/{id}',
    '/v1/statistics/export', '/v1/statistics/places', '/v1/statistics/places/{id}/series',
    '/v1/statistics/series',
    '/v1/changes', '/v1/integrity', '/v1/integrity/repair',
    '/v1/places', '/v1/places/{id}', '/v1/places/{id}/history', '/v1/places/{id}/restore',
    '/v1/places/as-of', '/v1/places/changes', '/v1/places/batch', '/v1/places/import',
    '/v1/places/export',
    '/v1/operations/{token}',
    '/v1/people', '/v1/people/{id}', '/v1/people/{id}/history', '/v1/people/{id}/restore',
    '/v1/people/by-place', '/v1/people/population', '/v1/people/population/series', '/v1/people/changes', '/v1/people/batch',
    '/v1/people/import', '/v1/people/export'
  )
) AS body
FROM (SELECT 1) LEFT JOIN dataset ON dataset.id = 1";

/// The description of the dataset, by the primary key. Its members are null if there is none.
#[must_use]
pub fn dataset() -> Statement {
    Statement::new(DATASET, Vec::new())
}

#[cfg(test)]
mod tests;
