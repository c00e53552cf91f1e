"""Sessions on PostgreSQL: dlt's client with bounded statements, and who blocks them."""
