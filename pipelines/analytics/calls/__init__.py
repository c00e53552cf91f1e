"""Single calls: their facts, people, insights and transcripts, and the command that shows one."""
