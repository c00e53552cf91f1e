"""Calls and transcripts: one feed of pages, two resources."""
