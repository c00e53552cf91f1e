"""MariaDB as a warehouse."""
