-- What there is now: versions with their digests, and what each column was taken for.
SELECT model, version, live, left(digest, 12) AS digest, size_bytes, sources FROM fusewire.model_versions
ORDER BY model, version;

SELECT model, "column", type, role, encoding, levels FROM fusewire.model_columns
WHERE model = 'buyers' ORDER BY role, "column";
