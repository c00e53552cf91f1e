"""What is said on the calls of the generated company: text by phase of a call, and how it is varied."""
