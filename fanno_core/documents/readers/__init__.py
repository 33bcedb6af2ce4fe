"""One file a format, each turning a source into raw documents; `table.py` lists them."""
