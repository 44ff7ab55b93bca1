"""Reads what instruments and labs write. No Flask, no database, no clock."""
