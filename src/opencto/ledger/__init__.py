"""Who used what and what it cost, and who did what: the ledger and the audit trail."""
