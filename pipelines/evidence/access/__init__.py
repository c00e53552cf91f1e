"""What a reader may see of the marts, and how it is enforced in SQL."""
