"""The job of `gong-elt export accounts`: a folder of Markdown per account, kept up to date."""
