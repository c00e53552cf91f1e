"""Copies of a warehouse's file that other programs read."""
