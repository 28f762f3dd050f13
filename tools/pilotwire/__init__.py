"""The `pilotwire` command: what a person runs on a computer."""
