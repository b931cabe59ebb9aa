"""Envelopes and containers to the wire and back; keys, tables and BPMN are unknown here."""
