"""Evidence from the marts for agents and programs: bounded answers with their sources, limited by a policy."""
