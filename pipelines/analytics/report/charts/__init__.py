"""Vega-Lite charts of the report's sections."""
