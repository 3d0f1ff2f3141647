"""Bytes and tables to rows."""
