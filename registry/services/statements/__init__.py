"""Statements about records: attestations, withdrawals, redactions; most take two people."""
