"""Report over the marts, one self-contained HTML file."""
