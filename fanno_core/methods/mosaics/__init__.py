"""Several questions as one: how they are marked, in which order they are answered, and how that is read back."""
