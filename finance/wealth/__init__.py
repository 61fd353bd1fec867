"""Products, orders, holdings, suitability."""
