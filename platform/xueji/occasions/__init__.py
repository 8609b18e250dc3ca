"""During what a person is asked to show herself: sittings today, attempts at an examination next.

The parts that have such occasions (hosts) and `proctoring`, which asks and judges, both stand on this part and know
nothing of each other.
"""
