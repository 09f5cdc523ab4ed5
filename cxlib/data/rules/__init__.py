"""Rules and settings that people keep as YAML, read safely and checked."""
