"""Where everything meets: settings, routes, servers, the demo world."""
