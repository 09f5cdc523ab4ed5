"""Exports of shop, survey and CRM systems turned into tables of the contract by a mapping of closed verbs."""
