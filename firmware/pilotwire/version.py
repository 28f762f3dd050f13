"""What this is, for people and backends."""

FIRMWARE = "0.1.0"
CONTRACT = 1
