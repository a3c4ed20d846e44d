"""Operating a register: start, heartbeats, backups, the audit trail."""
