# The sample program of the report, unchanged.
# launch: limit=120
