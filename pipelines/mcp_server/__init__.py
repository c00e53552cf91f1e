"""`gong-elt mcp`: agents ask the warehouse questions over the Model Context Protocol."""
