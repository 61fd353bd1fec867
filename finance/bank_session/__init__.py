"""The short, proved session in which money moves."""
