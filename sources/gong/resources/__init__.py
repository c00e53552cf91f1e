"""All other resources, one module per area of the Gong API."""
