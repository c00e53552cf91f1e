"""The sections of the report as data: title, description, SQL, columns, and the rows behind each figure."""
