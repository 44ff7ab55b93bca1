"""Work that goes on while nobody waits for it: the check and the commit of imports.

The table `job` is the truth. A queue (Huey) wakes a worker, which takes what waits there; each job is run under a lock that
ends with its process, so that what was interrupted is taken up again, and nothing is done twice at once.
"""
