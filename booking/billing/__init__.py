"""Prices, charges, payments, invoices and the ledger. Knows no reservation and no lock."""
