//! What chat peers say to each other: the schema, both codecs, limits, error and close codes
