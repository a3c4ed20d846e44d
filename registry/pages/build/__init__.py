"""How a site is built: what it shows, which pages follow, what is taken over, the switch."""
