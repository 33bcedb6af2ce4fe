"""One phase a file: shards in, core called, shards out. Retries and artifacts live here."""
