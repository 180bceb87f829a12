"""From staged rows to the desk's tables: references, faults only the database can see, merging.

One file per family of records; each offers ``land_…(staging, …) → Landed`` and runs in the
import's transaction. A row that is already there is compared with what it would become, so that
a second import of the same file changes nothing. An empty cell leaves what is known.
"""
