"""The one path to OpenAI: caller → key → limit → ledger → door → ledger. A surface that reaches OpenAI another way is a defect."""
