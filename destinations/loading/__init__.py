"""How dlt loads: the files of a load, and the transaction that makes them visible."""
