"""The kinds of warehouse that have a module: the only place that names them."""
