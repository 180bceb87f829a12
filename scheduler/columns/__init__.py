"""Column generation: whole lines of one person as columns, priced by dynamic programming.

It serves problems whose hard rules each concern one person at a time and count days, minutes,
shifts and weekends (`compiled` says which); others are left to CP-SAT alone.
"""
