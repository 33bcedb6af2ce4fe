"""Order only: `fanno.py` reads like the figure of the paper."""
