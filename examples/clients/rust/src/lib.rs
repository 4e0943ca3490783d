//! The REST client, generated when this crate is compiled.
progenitor::generate_api!(spec = "generated/openapi.json", interface = Builder);
