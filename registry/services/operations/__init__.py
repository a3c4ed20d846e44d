"""Operating a register: start, heartbeats, backups, limits, mail, the audit trail, the doctor."""
