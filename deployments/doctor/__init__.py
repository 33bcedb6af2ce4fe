"""What works on this machine for given settings, what does not, and what to do about it.

* `finding.py`: one finding
* `packages.py`: Python, the packages and the extras
* `machine.py`: GPU, and the disk below OUT
* `services.py`: Prefect, the encoder, the teacher
* `examine.py`: all of it, in the order in which things are to be mended
"""
