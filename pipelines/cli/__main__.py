"""Run `gong-elt` as `python -m pipelines.cli`."""

from .app import main

main()
