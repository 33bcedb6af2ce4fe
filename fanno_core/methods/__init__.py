"""The systems around FANNO: one file each, behind the seam of `contract.py`, and a line each in `table.py`."""
