"""Service accounts: menus, articles, notices."""
